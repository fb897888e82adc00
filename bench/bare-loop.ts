import { once } from "node:events";

/*
 * The least that any program must do who reads these pages: fetch, parse, one JSON line per row.
 *
 *   node bare-loop.js URL PATH…
 *
 * It knows no types, keys, retries or limits, and looks at nothing. Written with care for speed
 * all the same: one write per page.
 */

const [url = "", ...paths] = process.argv.slice(2);

for (const path of paths) {
  let cursor: string | null = "true";
  while (cursor !== null) {
    const response: Response = await fetch(`${url}${path}?cursor=${cursor}&per_page=500`);
    const rows = JSON.parse(await response.text()) as readonly unknown[];
    let text = "";
    for (const row of rows) text += `${JSON.stringify(row)}\n`;
    if (!process.stdout.write(text)) {
      await once(process.stdout, "drain");
    }
    cursor = response.headers.get("x-next-cursor");
  }
}

import { open } from "node:fs/promises";
import { join } from "node:path";

import { expect, onTestFinished, test, vi } from "vitest";

import { SpoolFile } from "../../src/loaders/spool.js";
import { failure, folder } from "./support.js";

test("a fault of the disk that came while rows were spooled is told when they are sealed", async () => {
  const path = join(await folder(), "rows");
  const file = await SpoolFile.create(path);
  const handle = await open(path);
  const kind = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  // The system tells it once: by the time of sealing it says that all is well.
  const once = vi
    .spyOn(kind, "datasync")
    .mockRejectedValueOnce(Object.assign(new Error("no space"), { code: "ENOSPC" }));
  onTestFinished(() => {
    once.mockRestore();
  });

  for (let i = 0; i < 9; i += 1) if (file.add("x".repeat(1024 * 1024))) await file.drain();
  const told = await failure(file.seal());

  expect(told.message).toBe("destination: spool folder: the disk is full");
  await file.close();
});

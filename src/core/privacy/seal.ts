import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

import { columnsOf } from "../columns.js";
import { ConnectorError } from "../errors.js";
import { isSealed, SEALED } from "../idset.js";
import type { Bookmark } from "../state.js";
import type { StreamDef } from "../stream.js";

/** Makes what a bookmark knows of people unreadable without the key, and readable with it. */
export interface Seal {
  close(bookmark: Bookmark): Bookmark;
  /** @throws ConnectorError `state` if it was sealed with another key, or changed. */
  open(bookmark: Bookmark): Bookmark;
}

const NONCE = 12;
const TAG = 16;

/**
 * A seal of a stream's bookmarks: AES-256-GCM under a key that is derived from `privacy.key`.
 *
 * The nonce is a keyed hash of the content, so the same bookmark always gives the same bytes, and
 * no nonce is used for two contents.
 */
export function sealWith(key: string, stream: string): Seal {
  const derived = (purpose: string) => createHmac("sha256", key).update(purpose).digest();
  const secret = derived("knowbe4-connector state");
  const nonces = derived("knowbe4-connector nonce");
  const close = (text: string): string => {
    const nonce = createHmac("sha256", nonces).update(text).digest().subarray(0, NONCE);
    const cipher = createCipheriv("aes-256-gcm", secret, nonce);
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return SEALED + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
  };
  const open = (text: string): string => {
    if (!isSealed(text)) return text;
    const bytes = Buffer.from(text.slice(SEALED.length), "base64url");
    try {
      const cipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, NONCE), {
        authTagLength: TAG,
      });
      cipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      const body = cipher.update(bytes.subarray(NONCE + TAG));
      return Buffer.concat([body, cipher.final()]).toString("utf8");
    } catch (error) {
      throw new ConnectorError("state", `${stream}: its bookmark cannot be read`, {
        hint: "set privacy.key to the one it was written with, or pass no state for a full first run",
        context: { stream },
        cause: error,
      });
    }
  };
  return { close: (b) => withIds(b, close), open: (b) => withIds(b, open) };
}

function withIds(bookmark: Bookmark, change: (text: string) => string): Bookmark {
  const { known, pass } = bookmark;
  return {
    ...bookmark,
    ...(known === undefined ? {} : { known: change(known) }),
    ...(pass == null ? {} : { pass: { ...pass, todo: change(pass.todo) } }),
  };
}

/** Whether the parents of a stream, whose ids its bookmark holds, are people. */
export function isBelowPeople({ parent }: StreamDef): boolean {
  if (parent === undefined) return false;
  const bound = new Set(Object.values(parent.bind));
  return columnsOf(parent.stream).some((c) => bound.has(c.name) && c.pii !== undefined);
}

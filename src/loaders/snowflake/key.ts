import { createPrivateKey, type KeyObject } from "node:crypto";

import { ConnectorError } from "../../core/errors.js";

const MADE_BY = "make one with: openssl genrsa 2048 | openssl pkcs8 -topk8 -inform PEM -nocrypt";

/**
 * A private key as the driver takes it: PKCS #8, in PEM, not encrypted.
 *
 * @throws ConnectorError `destination`, naming the setting and never a part of the key.
 */
export function readKey(pem: string, passphrase: string | undefined): string {
  const key = opened(pem, passphrase);
  if (key.asymmetricKeyType !== "rsa") {
    throw refused("destination.private_key is not an RSA key", MADE_BY);
  }
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

function opened(pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({
      // Where a file cannot be given, people paste it into a variable on one line.
      key: pem.replaceAll("\\n", "\n"),
      format: "pem",
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  } catch (error) {
    const isEncrypted = /ENCRYPTED/.test(pem);
    if (isEncrypted && passphrase === undefined) {
      throw refused(
        "destination.private_key is encrypted and there is no passphrase",
        "set destination.passphrase or destination.passphrase_file",
        error,
      );
    }
    if (isEncrypted) {
      throw refused(
        "destination.passphrase does not open destination.private_key",
        "set the passphrase that the key was made with",
        error,
      );
    }
    throw refused("destination.private_key is not a private key in PEM form", MADE_BY, error);
  }
}

function refused(message: string, hint: string, cause?: unknown): ConnectorError {
  return new ConnectorError("destination", message, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

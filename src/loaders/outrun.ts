import { ConnectorError } from "../core/errors.js";

/** Another runner committed since this run read the state. */
export function outrun(): ConnectorError {
  return new ConnectorError("locked", "destination: another run has committed meanwhile", {
    hint: "run again: this run's rows were not committed, and its state did not move",
  });
}

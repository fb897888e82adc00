import { desk } from "../loaders/snowflake/support.js";
import { describeHistory } from "./history.js";
import { describeSink } from "./sink.js";

describeSink("the Snowflake loader", async () => {
  const { loader, rows } = await desk();
  return {
    sink: () => loader(),
    durable: async (stream) =>
      (await rows(stream)).map(
        ({ _kb4_load_id, _kb4_extracted_at, _kb4_row_hash, _kb4_deleted_at, ...row }) => row,
      ),
  };
});

describeHistory("the Snowflake loader", async () => {
  const { loader, rows } = await desk();
  return { loader: (options) => loader(options), rows };
});

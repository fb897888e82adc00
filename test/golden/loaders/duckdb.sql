-- attach

ATTACH '/spool/it''s.duckdb' AS kb4 (TYPE duckdb);

-- bookkeeping

CREATE SCHEMA IF NOT EXISTS kb4."knowbe4";
CREATE TABLE IF NOT EXISTS kb4."knowbe4"."_kb4_state" (pipeline VARCHAR NOT NULL, stream VARCHAR NOT NULL, version BIGINT NOT NULL, state JSON, load_id VARCHAR NOT NULL, updated_at TIMESTAMP WITH TIME ZONE NOT NULL);
COMMENT ON TABLE kb4."knowbe4"."_kb4_state" IS 'How far each stream has been read. Written in the transaction that wrote the rows.';
CREATE TABLE IF NOT EXISTS kb4."knowbe4"."_kb4_loads" (load_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, pipeline VARCHAR NOT NULL, stream VARCHAR NOT NULL, mode VARCHAR NOT NULL, rows_staged BIGINT NOT NULL, rows_written BIGINT NOT NULL, rows_rejected BIGINT NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, committed_at TIMESTAMP WITH TIME ZONE NOT NULL, tool_version VARCHAR NOT NULL, proof JSON);
COMMENT ON TABLE kb4."knowbe4"."_kb4_loads" IS 'One row per load and table. A load that is not here was not committed.';
CREATE TABLE IF NOT EXISTS kb4."knowbe4"."_kb4_rejects" (load_id VARCHAR NOT NULL, stream VARCHAR NOT NULL, reason VARCHAR NOT NULL, raw JSON, seen_at TIMESTAMP WITH TIME ZONE NOT NULL);
COMMENT ON TABLE kb4."knowbe4"."_kb4_rejects" IS 'Rows that do not fit their stream, as they came, and why. May hold personal data.';
ALTER TABLE kb4."knowbe4"."_kb4_loads" ADD COLUMN IF NOT EXISTS proof JSON;

-- describe

SELECT t.table_name AS relation, CASE t.table_type WHEN 'BASE TABLE' THEN 'table' ELSE 'view' END AS kind, c.column_name AS name, c.data_type AS type, c.is_nullable = 'NO' AND c.column_default IS NULL AS required FROM information_schema.tables t LEFT JOIN information_schema.columns c ON c.table_catalog = t.table_catalog AND c.table_schema = t.table_schema AND c.table_name = t.table_name WHERE t.table_catalog = 'kb4' AND t.table_schema = 'knowbe4' ORDER BY t.table_name, c.ordinal_position;

-- createTable

CREATE TABLE kb4."knowbe4"."people" ("id" BIGINT NOT NULL, "name" VARCHAR, "score" DOUBLE, "is_active" BOOLEAN, "joined_at" TIMESTAMP WITH TIME ZONE, "birthday" DATE, "jobs" JSON, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."people" IS 'All people.';
COMMENT ON COLUMN kb4."knowbe4"."people"."id" IS 'The id.';
COMMENT ON COLUMN kb4."knowbe4"."people"."name" IS 'The name.';
COMMENT ON COLUMN kb4."knowbe4"."people"."score" IS 'The score.';
COMMENT ON COLUMN kb4."knowbe4"."people"."is_active" IS 'The is_active.';
COMMENT ON COLUMN kb4."knowbe4"."people"."joined_at" IS 'The joined_at.';
COMMENT ON COLUMN kb4."knowbe4"."people"."birthday" IS 'The birthday.';
COMMENT ON COLUMN kb4."knowbe4"."people"."jobs" IS 'The jobs.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';

-- createTable, odd names

CREATE TABLE kb4."knowbe4"."o'dd ""t""; --" ("k""1" VARCHAR NOT NULL, "k'2" BIGINT NOT NULL, "Ünï 🦊" VARCHAR, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."o'dd ""t""; --" IS 'All o''dd "t"; --.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; --"."k""1" IS 'The k"1.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; --"."k'2" IS 'The k''2.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; --"."Ünï 🦊" IS 'The Ünï 🦊.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; --"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; --"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; --"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; --"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; --"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';

-- createTable, without a comment of its own

CREATE TABLE kb4."knowbe4"."plain" ("k""1" VARCHAR NOT NULL, "k'2" BIGINT NOT NULL, "Ünï 🦊" VARCHAR, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON COLUMN kb4."knowbe4"."plain"."k""1" IS 'The k"1.';
COMMENT ON COLUMN kb4."knowbe4"."plain"."k'2" IS 'The k''2.';
COMMENT ON COLUMN kb4."knowbe4"."plain"."Ünï 🦊" IS 'The Ünï 🦊.';
COMMENT ON COLUMN kb4."knowbe4"."plain"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."plain"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."plain"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."plain"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."plain"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';

-- addColumn

ALTER TABLE kb4."knowbe4"."people" ADD COLUMN "age" BIGINT;
COMMENT ON COLUMN kb4."knowbe4"."people"."age" IS 'It''s.';

-- addColumn, without a description

ALTER TABLE kb4."knowbe4"."o'dd ""t""; --" ADD COLUMN "n""'w" JSON;

-- widenColumn, integer to number

CREATE TABLE kb4."knowbe4"."integer_number" ("integer to ""number""" BIGINT, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."integer_number" IS 'All wide.';
COMMENT ON COLUMN kb4."knowbe4"."integer_number"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."integer_number"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."integer_number"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."integer_number"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
ALTER TABLE kb4."knowbe4"."integer_number" ALTER COLUMN "integer to ""number""" SET DATA TYPE DOUBLE USING CAST("integer to ""number""" AS DOUBLE);

-- widenColumn, integer to string

CREATE TABLE kb4."knowbe4"."integer_string" ("integer to ""string""" BIGINT, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."integer_string" IS 'All wide.';
COMMENT ON COLUMN kb4."knowbe4"."integer_string"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."integer_string"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."integer_string"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."integer_string"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
ALTER TABLE kb4."knowbe4"."integer_string" ALTER COLUMN "integer to ""string""" SET DATA TYPE VARCHAR USING CAST("integer to ""string""" AS VARCHAR);

-- widenColumn, number to string

CREATE TABLE kb4."knowbe4"."number_string" ("number to ""string""" DOUBLE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."number_string" IS 'All wide.';
COMMENT ON COLUMN kb4."knowbe4"."number_string"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."number_string"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."number_string"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."number_string"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
ALTER TABLE kb4."knowbe4"."number_string" ALTER COLUMN "number to ""string""" SET DATA TYPE VARCHAR USING CAST("number to ""string""" AS VARCHAR);

-- widenColumn, boolean to string

CREATE TABLE kb4."knowbe4"."boolean_string" ("boolean to ""string""" BOOLEAN, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."boolean_string" IS 'All wide.';
COMMENT ON COLUMN kb4."knowbe4"."boolean_string"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."boolean_string"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."boolean_string"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."boolean_string"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
ALTER TABLE kb4."knowbe4"."boolean_string" ALTER COLUMN "boolean to ""string""" SET DATA TYPE VARCHAR USING CAST("boolean to ""string""" AS VARCHAR);

-- widenColumn, date to timestamp

CREATE TABLE kb4."knowbe4"."date_timestamp" ("date to ""timestamp""" DATE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."date_timestamp" IS 'All wide.';
COMMENT ON COLUMN kb4."knowbe4"."date_timestamp"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."date_timestamp"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."date_timestamp"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."date_timestamp"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
ALTER TABLE kb4."knowbe4"."date_timestamp" ALTER COLUMN "date to ""timestamp""" SET DATA TYPE TIMESTAMP WITH TIME ZONE USING CAST("date to ""timestamp""" AS TIMESTAMP WITH TIME ZONE);

-- widenColumn, date to string

CREATE TABLE kb4."knowbe4"."date_string" ("date to ""string""" DATE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."date_string" IS 'All wide.';
COMMENT ON COLUMN kb4."knowbe4"."date_string"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."date_string"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."date_string"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."date_string"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
ALTER TABLE kb4."knowbe4"."date_string" ALTER COLUMN "date to ""string""" SET DATA TYPE VARCHAR USING CAST("date to ""string""" AS VARCHAR);

-- widenColumn, timestamp to string

CREATE TABLE kb4."knowbe4"."timestamp_string" ("timestamp to ""string""" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."timestamp_string" IS 'All wide.';
COMMENT ON COLUMN kb4."knowbe4"."timestamp_string"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."timestamp_string"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."timestamp_string"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."timestamp_string"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
ALTER TABLE kb4."knowbe4"."timestamp_string" ALTER COLUMN "timestamp to ""string""" SET DATA TYPE VARCHAR USING strftime("timestamp to ""string""" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ');

-- widenColumn, json to string

CREATE TABLE kb4."knowbe4"."json_string" ("json to ""string""" JSON, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."json_string" IS 'All wide.';
COMMENT ON COLUMN kb4."knowbe4"."json_string"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."json_string"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."json_string"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."json_string"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
ALTER TABLE kb4."knowbe4"."json_string" ALTER COLUMN "json to ""string""" SET DATA TYPE VARCHAR USING "json to ""string""" ->> '$';

-- stage

CREATE OR REPLACE TEMPORARY TABLE _stage_1 AS SELECT * FROM read_json('/spool/people.ndjson', format = 'newline_delimited', columns = {'id': 'BIGINT', 'name': 'VARCHAR', 'score': 'DOUBLE', 'is_active': 'BOOLEAN', 'joined_at': 'TIMESTAMP WITH TIME ZONE', 'birthday': 'DATE', 'jobs': 'JSON', '_observed_at': 'TIMESTAMP WITH TIME ZONE', '_kb4_extracted_at': 'TIMESTAMP WITH TIME ZONE', '_kb4_seq': 'BIGINT', '_kb4_row_hash': 'VARCHAR'}, maximum_object_size = 1048576);

-- stage, odd names and long rows

CREATE OR REPLACE TEMPORARY TABLE _stage_2 AS SELECT * FROM read_json('/spool/odd.ndjson', format = 'newline_delimited', columns = {'k"1': 'VARCHAR', 'k''2': 'BIGINT', 'Ünï 🦊': 'VARCHAR', '_observed_at': 'TIMESTAMP WITH TIME ZONE', '_kb4_extracted_at': 'TIMESTAMP WITH TIME ZONE', '_kb4_seq': 'BIGINT', '_kb4_row_hash': 'VARCHAR'}, maximum_object_size = 5001024);

-- stage, rejected rows

CREATE OR REPLACE TEMPORARY TABLE _stage_3 AS SELECT * FROM read_json('/spool/rejects.ndjson', format = 'newline_delimited', columns = {'stream': 'VARCHAR', 'reason': 'VARCHAR', 'raw': 'JSON', 'seen_at': 'TIMESTAMP WITH TIME ZONE'}, maximum_object_size = 1048576);

-- countStaged

SELECT count(*) AS n FROM _stage_1;

-- findRepeats

SELECT 1 AS found FROM _stage_2 GROUP BY "k""1", "k'2" HAVING count(*) > 1 LIMIT 1;

-- moveState, first

-- fence
INSERT INTO kb4."knowbe4"."_kb4_state" SELECT 'it''s', '', 1, NULL, 'load-1', '2026-06-01T00:00:00.000Z' WHERE NOT EXISTS (SELECT 1 FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = '');
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'people';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'people', 1, '{"completedAt":"2026-06-01T00:00:00.000Z"}', 'load-1', '2026-06-01T00:00:00.000Z');
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'o''dd';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'o''dd', 1, '{"completedAt":null,"cursor":"2026-01-01"}', 'load-1', '2026-06-01T00:00:00.000Z');

-- moveState, later

-- fence
UPDATE kb4."knowbe4"."_kb4_state" SET version = 2, load_id = 'load-1', updated_at = '2026-06-01T00:00:00.000Z' WHERE pipeline = 'it''s' AND stream = '' AND version = 1;
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'people';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'people', 2, '{"completedAt":"2026-06-01T00:00:00.000Z"}', 'load-1', '2026-06-01T00:00:00.000Z');
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'o''dd';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'o''dd', 2, '{"completedAt":null,"cursor":"2026-01-01"}', 'load-1', '2026-06-01T00:00:00.000Z');

-- countVanished

SELECT (SELECT count(*) FROM kb4."knowbe4"."people" AS t WHERE t."_kb4_deleted_at" IS NULL OR t."_kb4_deleted_at" = '2026-06-01T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE) AS live, (SELECT count(*) FROM kb4."knowbe4"."people" AS t WHERE t."_kb4_deleted_at" = '2026-06-01T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE) + (SELECT count(*) FROM kb4."knowbe4"."people" AS t WHERE t."_kb4_deleted_at" IS NULL AND (t."id" IN (3, 4) OR t."name" NOT IN ('it''s', 'b')) AND NOT EXISTS (SELECT 1 FROM _stage_1 AS s WHERE s."id" = t."id")) AS vanished;

-- markVanished

UPDATE kb4."knowbe4"."people" AS t SET "_kb4_deleted_at" = '2026-06-01T00:00:00.000Z' WHERE t."_kb4_deleted_at" IS NULL AND (t."id" IN (3, 4) OR t."name" NOT IN ('it''s', 'b')) AND NOT EXISTS (SELECT 1 FROM _stage_1 AS s WHERE s."id" = t."id");

-- countVanished, nothing left

SELECT (SELECT count(*) FROM kb4."knowbe4"."o'dd ""t""; --" AS t WHERE t."_kb4_deleted_at" IS NULL OR t."_kb4_deleted_at" = '2026-06-01T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE) AS live, (SELECT count(*) FROM kb4."knowbe4"."o'dd ""t""; --" AS t WHERE t."_kb4_deleted_at" = '2026-06-01T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE) + (SELECT count(*) FROM kb4."knowbe4"."o'dd ""t""; --" AS t WHERE t."_kb4_deleted_at" IS NULL AND TRUE) AS vanished;

-- markVanished, nothing left

UPDATE kb4."knowbe4"."o'dd ""t""; --" AS t SET "_kb4_deleted_at" = '2026-06-01T00:00:00.000Z' WHERE t."_kb4_deleted_at" IS NULL AND TRUE;

-- createTable, with history

CREATE TABLE kb4."knowbe4"."kept" ("id" BIGINT NOT NULL, "name" VARCHAR, "score" DOUBLE, "is_active" BOOLEAN, "joined_at" TIMESTAMP WITH TIME ZONE, "birthday" DATE, "jobs" JSON, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE, "_kb4_valid_from" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_valid_to" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."kept" IS 'All people.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."id" IS 'The id.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."name" IS 'The name.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."score" IS 'The score.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."is_active" IS 'The is_active.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."joined_at" IS 'The joined_at.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."birthday" IS 'The birthday.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."jobs" IS 'The jobs.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."_kb4_valid_from" IS 'When this version of the row was first observed, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."kept"."_kb4_valid_to" IS 'When a later version was observed, or the row was found to be gone, UTC: from then on this version does not hold; null for the one that holds now.';

-- createTable, with history and odd names

CREATE TABLE kb4."knowbe4"."o'dd ""t""; -- kept" ("k""1" VARCHAR NOT NULL, "k'2" BIGINT NOT NULL, "Ünï 🦊" VARCHAR, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE, "_kb4_valid_from" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_valid_to" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."o'dd ""t""; -- kept" IS 'All o''dd "t"; --.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."k""1" IS 'The k"1.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."k'2" IS 'The k''2.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."Ünï 🦊" IS 'The Ünï 🦊.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."_kb4_valid_from" IS 'When this version of the row was first observed, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."o'dd ""t""; -- kept"."_kb4_valid_to" IS 'When a later version was observed, or the row was found to be gone, UTC: from then on this version does not hold; null for the one that holds now.';

-- history, makeView

CREATE OR REPLACE VIEW kb4."knowbe4"."kept_current" AS SELECT "id", "name", "_kb4_valid_from" FROM "kept" WHERE "_kb4_valid_to" IS NULL;
COMMENT ON VIEW kb4."knowbe4"."kept_current" IS 'Rows of kept as they are now.';

-- history, makeView, odd names

CREATE OR REPLACE VIEW kb4."knowbe4"."o'dd ""t""; -- kept_current" AS SELECT "k""1", "Ünï 🦊" FROM "o'dd ""t""; -- kept" WHERE "_kb4_valid_to" IS NULL;
COMMENT ON VIEW kb4."knowbe4"."o'dd ""t""; -- kept_current" IS 'Rows of o''dd "t"; -- kept as they are now.';

-- history, countVanished

SELECT (SELECT count(*) FROM kb4."knowbe4"."kept" AS t WHERE t."_kb4_valid_to" IS NULL OR t."_kb4_deleted_at" = '2026-06-01T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE) AS live, (SELECT count(*) FROM kb4."knowbe4"."kept" AS t WHERE t."_kb4_deleted_at" = '2026-06-01T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE) + (SELECT count(*) FROM kb4."knowbe4"."kept" AS t WHERE t."_kb4_valid_to" IS NULL AND (t."id" IN (3, 4) OR t."name" NOT IN ('it''s', 'b')) AND NOT EXISTS (SELECT 1 FROM _stage_1 AS s WHERE s."id" = t."id")) AS vanished;

-- history, markVanished

UPDATE kb4."knowbe4"."kept" AS t SET "_kb4_deleted_at" = '2026-06-01T00:00:00.000Z', "_kb4_valid_to" = greatest('2026-06-01T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE, t."_kb4_valid_from" + INTERVAL 1 MILLISECOND) WHERE t."_kb4_valid_to" IS NULL AND (t."id" IN (3, 4) OR t."name" NOT IN ('it''s', 'b')) AND NOT EXISTS (SELECT 1 FROM _stage_1 AS s WHERE s."id" = t."id");

-- history, markVanished, nothing left

UPDATE kb4."knowbe4"."o'dd ""t""; -- kept" AS t SET "_kb4_deleted_at" = '2026-06-01T00:00:00.000Z', "_kb4_valid_to" = greatest('2026-06-01T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE, t."_kb4_valid_from" + INTERVAL 1 MILLISECOND) WHERE t."_kb4_valid_to" IS NULL AND TRUE;

-- history, merge

DELETE FROM _stage_1 AS s USING kb4."knowbe4"."kept" AS t WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL AND t."_kb4_row_hash" = s."_kb4_row_hash";
UPDATE kb4."knowbe4"."kept" AS t SET "_kb4_valid_to" = greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), t."_kb4_valid_from" + INTERVAL 1 MILLISECOND) FROM _stage_1 AS s WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL;
INSERT INTO kb4."knowbe4"."kept" ("id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash", "_kb4_valid_from") SELECT s."id", s."name", s."score", s."is_active", s."joined_at", s."birthday", s."jobs", s."_observed_at", 'load-1', s."_kb4_extracted_at", s."_kb4_row_hash", greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), coalesce("_kb4_found"."_kb4_earliest", coalesce(s."_observed_at", s."_kb4_extracted_at"))) FROM _stage_1 AS s LEFT JOIN (SELECT t."id", max(CASE WHEN t."_kb4_deleted_at" IS NULL THEN t."_kb4_valid_to" ELSE t."_kb4_valid_to" + INTERVAL 1 MILLISECOND END) AS "_kb4_earliest" FROM kb4."knowbe4"."kept" AS t WHERE EXISTS (SELECT 1 FROM _stage_1 AS e WHERE e."id" = t."id") GROUP BY t."id") AS "_kb4_found" ON "_kb4_found"."id" = s."id";

-- history, merge, keys that repeat and columns that are new

DELETE FROM _stage_2 AS s USING (SELECT "k""1", "k'2", max("_kb4_seq") AS "_kb4_last" FROM _stage_2 GROUP BY "k""1", "k'2" HAVING count(*) > 1) AS n WHERE s."k""1" = n."k""1" AND s."k'2" = n."k'2" AND s."_kb4_seq" < n."_kb4_last";
UPDATE kb4."knowbe4"."o'dd ""t""; -- kept" AS t SET "Ünï 🦊" = s."Ünï 🦊" FROM _stage_2 AS s WHERE t."k""1" = s."k""1" AND t."k'2" = s."k'2" AND t."_kb4_valid_to" IS NULL AND t."_kb4_row_hash" = s."_kb4_row_hash";
DELETE FROM _stage_2 AS s USING kb4."knowbe4"."o'dd ""t""; -- kept" AS t WHERE t."k""1" = s."k""1" AND t."k'2" = s."k'2" AND t."_kb4_valid_to" IS NULL AND t."_kb4_row_hash" = s."_kb4_row_hash";
UPDATE kb4."knowbe4"."o'dd ""t""; -- kept" AS t SET "_kb4_valid_to" = greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), t."_kb4_valid_from" + INTERVAL 1 MILLISECOND) FROM _stage_2 AS s WHERE t."k""1" = s."k""1" AND t."k'2" = s."k'2" AND t."_kb4_valid_to" IS NULL;
INSERT INTO kb4."knowbe4"."o'dd ""t""; -- kept" ("k""1", "k'2", "Ünï 🦊", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash", "_kb4_valid_from") SELECT s."k""1", s."k'2", s."Ünï 🦊", s."_observed_at", 'load-1', s."_kb4_extracted_at", s."_kb4_row_hash", greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), coalesce("_kb4_found"."_kb4_earliest", coalesce(s."_observed_at", s."_kb4_extracted_at"))) FROM _stage_2 AS s LEFT JOIN (SELECT t."k""1", t."k'2", max(CASE WHEN t."_kb4_deleted_at" IS NULL THEN t."_kb4_valid_to" ELSE t."_kb4_valid_to" + INTERVAL 1 MILLISECOND END) AS "_kb4_earliest" FROM kb4."knowbe4"."o'dd ""t""; -- kept" AS t WHERE EXISTS (SELECT 1 FROM _stage_2 AS e WHERE e."k""1" = t."k""1" AND e."k'2" = t."k'2") GROUP BY t."k""1", t."k'2") AS "_kb4_found" ON "_kb4_found"."k""1" = s."k""1" AND "_kb4_found"."k'2" = s."k'2";

-- merge

DELETE FROM _stage_1 AS s USING kb4."knowbe4"."people" AS t WHERE s."id" = t."id" AND s."_kb4_row_hash" = t."_kb4_row_hash" AND t."_kb4_deleted_at" IS NULL;
DELETE FROM kb4."knowbe4"."people" AS t USING _stage_1 AS s WHERE t."id" = s."id";
INSERT INTO kb4."knowbe4"."people" ("id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", 'load-1', "_kb4_extracted_at", "_kb4_row_hash" FROM _stage_1;

-- merge, keys that repeat and columns that are new

DELETE FROM _stage_2 AS s USING (SELECT "k""1", "k'2", max("_kb4_seq") AS "_kb4_last" FROM _stage_2 GROUP BY "k""1", "k'2" HAVING count(*) > 1) AS n WHERE s."k""1" = n."k""1" AND s."k'2" = n."k'2" AND s."_kb4_seq" < n."_kb4_last";
DELETE FROM kb4."knowbe4"."o'dd ""t""; --" AS t USING _stage_2 AS s WHERE t."k""1" = s."k""1" AND t."k'2" = s."k'2";
INSERT INTO kb4."knowbe4"."o'dd ""t""; --" ("k""1", "k'2", "Ünï 🦊", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "k""1", "k'2", "Ünï 🦊", "_observed_at", 'load-1', "_kb4_extracted_at", "_kb4_row_hash" FROM _stage_2;

-- append

INSERT INTO kb4."knowbe4"."people" ("id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", 'load-1', "_kb4_extracted_at", "_kb4_row_hash" FROM _stage_1;

-- replace

DELETE FROM kb4."knowbe4"."people";
INSERT INTO kb4."knowbe4"."people" ("id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", 'load-1', "_kb4_extracted_at", "_kb4_row_hash" FROM _stage_1;

-- replace, by nothing

DELETE FROM kb4."knowbe4"."o'dd ""t""; --";

-- appendRejects

INSERT INTO kb4."knowbe4"."_kb4_rejects" SELECT 'load-1', stream, reason, raw, seen_at FROM _stage_3;

-- recordLoad

INSERT INTO kb4."knowbe4"."_kb4_loads" VALUES ('load-1', 'run-1', 'it''s', 'people', 'merge', 2, (SELECT count(*) FROM _stage_1), 1, '2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '1.2.3', '{"came":3}');
INSERT INTO kb4."knowbe4"."_kb4_loads" VALUES ('load-1', 'run-1', 'it''s', 'o''dd', 'merge', 2, 0, 1, '2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '1.2.3', NULL);

-- recordLoad, of the state alone

INSERT INTO kb4."knowbe4"."_kb4_loads" VALUES ('load-1', 'run-1', 'it''s', '', 'state', 0, 0, 0, '2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '1.2.3', NULL);

-- readState

SELECT stream, version, state FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' ORDER BY stream;

-- countRows

SELECT "id" AS part, count(*) AS n FROM (SELECT DISTINCT "id" FROM kb4."knowbe4"."people" WHERE "_kb4_deleted_at" IS NULL) GROUP BY 1 ORDER BY 1;

-- countRows, all of a table of an earlier version

SELECT '' AS part, count(*) AS n FROM (SELECT DISTINCT "id" FROM kb4."knowbe4"."people") GROUP BY 1 ORDER BY 1;

-- pipelines

SELECT DISTINCT pipeline FROM kb4."knowbe4"."_kb4_state" ORDER BY pipeline;

-- appended

SELECT stream FROM kb4."knowbe4"."_kb4_loads" WHERE mode IN ('merge', 'append', 'replace', 'history') GROUP BY stream HAVING max(CASE WHEN mode = 'append' THEN committed_at END) = max(committed_at) ORDER BY stream;

-- findLoad

SELECT 1 AS found FROM kb4."knowbe4"."_kb4_loads" WHERE load_id = 'load-1' LIMIT 1;

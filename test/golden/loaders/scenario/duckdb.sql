CREATE SCHEMA IF NOT EXISTS kb4."knowbe4";
CREATE TABLE IF NOT EXISTS kb4."knowbe4"."_kb4_state" (pipeline VARCHAR NOT NULL, stream VARCHAR NOT NULL, version BIGINT NOT NULL, state JSON, load_id VARCHAR NOT NULL, updated_at TIMESTAMP WITH TIME ZONE NOT NULL);
COMMENT ON TABLE kb4."knowbe4"."_kb4_state" IS 'How far each stream has been read. Written in the transaction that wrote the rows.';
CREATE TABLE IF NOT EXISTS kb4."knowbe4"."_kb4_loads" (load_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, pipeline VARCHAR NOT NULL, stream VARCHAR NOT NULL, mode VARCHAR NOT NULL, rows_staged BIGINT NOT NULL, rows_written BIGINT NOT NULL, rows_rejected BIGINT NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, committed_at TIMESTAMP WITH TIME ZONE NOT NULL, tool_version VARCHAR NOT NULL, proof JSON);
COMMENT ON TABLE kb4."knowbe4"."_kb4_loads" IS 'One row per load and table. A load that is not here was not committed.';
CREATE TABLE IF NOT EXISTS kb4."knowbe4"."_kb4_rejects" (load_id VARCHAR NOT NULL, stream VARCHAR NOT NULL, reason VARCHAR NOT NULL, raw JSON, seen_at TIMESTAMP WITH TIME ZONE NOT NULL);
COMMENT ON TABLE kb4."knowbe4"."_kb4_rejects" IS 'Rows that do not fit their stream, as they came, and why. May hold personal data.';
ALTER TABLE kb4."knowbe4"."_kb4_loads" ADD COLUMN IF NOT EXISTS proof JSON;
CREATE TABLE kb4."knowbe4"."people" ("id" BIGINT NOT NULL, "name" VARCHAR, "score" DOUBLE, "is_active" BOOLEAN, "joined_at" TIMESTAMP WITH TIME ZONE, "birthday" DATE, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."people" IS 'All people.';
COMMENT ON COLUMN kb4."knowbe4"."people"."id" IS 'The id.';
COMMENT ON COLUMN kb4."knowbe4"."people"."name" IS 'The name.';
COMMENT ON COLUMN kb4."knowbe4"."people"."score" IS 'The score.';
COMMENT ON COLUMN kb4."knowbe4"."people"."is_active" IS 'The is_active.';
COMMENT ON COLUMN kb4."knowbe4"."people"."joined_at" IS 'The joined_at.';
COMMENT ON COLUMN kb4."knowbe4"."people"."birthday" IS 'The birthday.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."people"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
CREATE TABLE kb4."knowbe4"."pairs" ("a" BIGINT NOT NULL, "b" VARCHAR NOT NULL, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."pairs" IS 'All pairs.';
COMMENT ON COLUMN kb4."knowbe4"."pairs"."a" IS 'The a.';
COMMENT ON COLUMN kb4."knowbe4"."pairs"."b" IS 'The b.';
COMMENT ON COLUMN kb4."knowbe4"."pairs"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."pairs"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."pairs"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."pairs"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."pairs"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
CREATE TABLE kb4."knowbe4"."events" ("what" VARCHAR, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."events" IS 'All events.';
COMMENT ON COLUMN kb4."knowbe4"."events"."what" IS 'The what.';
COMMENT ON COLUMN kb4."knowbe4"."events"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."events"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."events"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."events"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."events"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
CREATE TABLE kb4."knowbe4"."titles" ("id" BIGINT NOT NULL, "name" VARCHAR, "_observed_at" TIMESTAMP WITH TIME ZONE, "_kb4_load_id" VARCHAR NOT NULL, "_kb4_extracted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_row_hash" VARCHAR NOT NULL, "_kb4_deleted_at" TIMESTAMP WITH TIME ZONE, "_kb4_valid_from" TIMESTAMP WITH TIME ZONE NOT NULL, "_kb4_valid_to" TIMESTAMP WITH TIME ZONE);
COMMENT ON TABLE kb4."knowbe4"."titles" IS 'All titles.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."id" IS 'The id.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."name" IS 'The name.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."_observed_at" IS 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."_kb4_load_id" IS 'Load that wrote this version of the row; see _kb4_loads.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."_kb4_extracted_at" IS 'When this version of the row arrived from the source, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."_kb4_row_hash" IS 'Digest of the row without _observed_at: rows with the same one are left alone.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."_kb4_deleted_at" IS 'Start of the run that read this row''s whole scope and did not find the row, UTC; null for one that is there.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."_kb4_valid_from" IS 'When this version of the row was first observed, UTC.';
COMMENT ON COLUMN kb4."knowbe4"."titles"."_kb4_valid_to" IS 'When a later version was observed, or the row was found to be gone, UTC: from then on this version does not hold; null for the one that holds now.';
CREATE OR REPLACE VIEW kb4."knowbe4"."titles_current" AS SELECT "id", "name", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash", "_kb4_valid_from" FROM "titles" WHERE "_kb4_valid_to" IS NULL;
COMMENT ON VIEW kb4."knowbe4"."titles_current" IS 'Rows of titles as they are now.';
-- stage {"relation":"stage_people_1","rows":"people_1","columns":{"id":"BIGINT","name":"VARCHAR","score":"DOUBLE","is_active":"BOOLEAN","joined_at":"TIMESTAMPTZ","birthday":"DATE","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
-- stage {"relation":"stage_pairs_1","rows":"pairs_1","columns":{"a":"BIGINT","b":"VARCHAR","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
-- stage {"relation":"stage_events_1","rows":"events_1","columns":{"what":"VARCHAR","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
-- stage {"relation":"stage_titles_1","rows":"titles_1","columns":{"id":"BIGINT","name":"VARCHAR","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
INSERT INTO kb4."knowbe4"."_kb4_state" SELECT 'it''s', '', 1, NULL, 'load-1', '2026-06-01T00:00:00.000Z' WHERE NOT EXISTS (SELECT 1 FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = '');
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'people';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'people', 1, '{"completedAt":"2026-06-01T00:00:00.000Z","note":"it''s \"0\" \\ \n"}', 'load-1', '2026-06-01T00:00:00.000Z');
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'o''dd';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'o''dd', 1, '{"completedAt":null}', 'load-1', '2026-06-01T00:00:00.000Z');
DELETE FROM stage_titles_1 AS s USING (SELECT "id", max("_kb4_seq") AS "_kb4_last" FROM stage_titles_1 GROUP BY "id" HAVING count(*) > 1) AS n WHERE s."id" = n."id" AND s."_kb4_seq" < n."_kb4_last";
DELETE FROM stage_titles_1 AS s USING kb4."knowbe4"."titles" AS t WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL AND t."_kb4_row_hash" = s."_kb4_row_hash";
UPDATE kb4."knowbe4"."titles" AS t SET "_kb4_valid_to" = greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), t."_kb4_valid_from" + INTERVAL 1 MILLISECOND) FROM stage_titles_1 AS s WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL;
INSERT INTO kb4."knowbe4"."titles" ("id", "name", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash", "_kb4_valid_from") SELECT s."id", s."name", s."_observed_at", 'load-1', s."_kb4_extracted_at", s."_kb4_row_hash", greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), coalesce("_kb4_found"."_kb4_earliest", coalesce(s."_observed_at", s."_kb4_extracted_at"))) FROM stage_titles_1 AS s LEFT JOIN (SELECT t."id", max(CASE WHEN t."_kb4_deleted_at" IS NULL THEN t."_kb4_valid_to" ELSE t."_kb4_valid_to" + INTERVAL 1 MILLISECOND END) AS "_kb4_earliest" FROM kb4."knowbe4"."titles" AS t WHERE EXISTS (SELECT 1 FROM stage_titles_1 AS e WHERE e."id" = t."id") GROUP BY t."id") AS "_kb4_found" ON "_kb4_found"."id" = s."id";
DELETE FROM stage_people_1 AS s USING (SELECT "id", max("_kb4_seq") AS "_kb4_last" FROM stage_people_1 GROUP BY "id" HAVING count(*) > 1) AS n WHERE s."id" = n."id" AND s."_kb4_seq" < n."_kb4_last";
DELETE FROM stage_people_1 AS s USING kb4."knowbe4"."people" AS t WHERE s."id" = t."id" AND s."_kb4_row_hash" = t."_kb4_row_hash" AND t."_kb4_deleted_at" IS NULL;
DELETE FROM kb4."knowbe4"."people" AS t USING stage_people_1 AS s WHERE t."id" = s."id";
INSERT INTO kb4."knowbe4"."people" ("id", "name", "score", "is_active", "joined_at", "birthday", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "id", "name", "score", "is_active", "joined_at", "birthday", "_observed_at", 'load-1', "_kb4_extracted_at", "_kb4_row_hash" FROM stage_people_1;
DELETE FROM kb4."knowbe4"."pairs";
INSERT INTO kb4."knowbe4"."pairs" ("a", "b", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "a", "b", "_observed_at", 'load-1', "_kb4_extracted_at", "_kb4_row_hash" FROM stage_pairs_1;
INSERT INTO kb4."knowbe4"."events" ("what", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "what", "_observed_at", 'load-1', "_kb4_extracted_at", "_kb4_row_hash" FROM stage_events_1;
INSERT INTO kb4."knowbe4"."_kb4_loads" VALUES ('load-1', 'run-1', 'it''s', '', 'state', 0, 0, 0, '2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '1.2.3', NULL);
-- compare load-1
ALTER TABLE kb4."knowbe4"."people" ADD COLUMN "jobs" JSON;
COMMENT ON COLUMN kb4."knowbe4"."people"."jobs" IS 'The jobs.';
ALTER TABLE kb4."knowbe4"."titles" ADD COLUMN "note" JSON;
COMMENT ON COLUMN kb4."knowbe4"."titles"."note" IS 'The note.';
CREATE OR REPLACE VIEW kb4."knowbe4"."titles_current" AS SELECT "id", "name", "note", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash", "_kb4_valid_from" FROM "titles" WHERE "_kb4_valid_to" IS NULL;
COMMENT ON VIEW kb4."knowbe4"."titles_current" IS 'Rows of titles as they are now.';
-- stage {"relation":"stage_people_2","rows":"people_2","columns":{"id":"BIGINT","name":"VARCHAR","score":"DOUBLE","is_active":"BOOLEAN","joined_at":"TIMESTAMPTZ","birthday":"DATE","jobs":"JSON","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
-- stage {"relation":"stage_pairs_2","rows":"pairs_2","columns":{"a":"BIGINT","b":"VARCHAR","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
-- stage {"relation":"stage_titles_2","rows":"titles_2","columns":{"id":"BIGINT","name":"VARCHAR","note":"JSON","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
UPDATE kb4."knowbe4"."_kb4_state" SET version = 2, load_id = 'load-2', updated_at = '2026-06-01T00:00:00.000Z' WHERE pipeline = 'it''s' AND stream = '' AND version = 1;
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'people';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'people', 2, '{"completedAt":"2026-06-01T00:00:00.000Z","note":"it''s \"1\" \\ \n"}', 'load-2', '2026-06-01T00:00:00.000Z');
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'o''dd';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'o''dd', 2, '{"completedAt":null}', 'load-2', '2026-06-01T00:00:00.000Z');
UPDATE kb4."knowbe4"."titles" AS t SET "_kb4_deleted_at" = '2026-06-02T00:00:00.000Z', "_kb4_valid_to" = greatest('2026-06-02T00:00:00.000Z'::TIMESTAMP WITH TIME ZONE, t."_kb4_valid_from" + INTERVAL 1 MILLISECOND) WHERE t."_kb4_valid_to" IS NULL AND t."id" IN (3) AND NOT EXISTS (SELECT 1 FROM stage_titles_2 AS s WHERE s."id" = t."id");
DELETE FROM stage_titles_2 AS s USING (SELECT "id", max("_kb4_seq") AS "_kb4_last" FROM stage_titles_2 GROUP BY "id" HAVING count(*) > 1) AS n WHERE s."id" = n."id" AND s."_kb4_seq" < n."_kb4_last";
UPDATE kb4."knowbe4"."titles" AS t SET "name" = s."name", "note" = s."note" FROM stage_titles_2 AS s WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL AND t."_kb4_row_hash" = s."_kb4_row_hash";
DELETE FROM stage_titles_2 AS s USING kb4."knowbe4"."titles" AS t WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL AND t."_kb4_row_hash" = s."_kb4_row_hash";
UPDATE kb4."knowbe4"."titles" AS t SET "_kb4_valid_to" = greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), t."_kb4_valid_from" + INTERVAL 1 MILLISECOND) FROM stage_titles_2 AS s WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL;
INSERT INTO kb4."knowbe4"."titles" ("id", "name", "note", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash", "_kb4_valid_from") SELECT s."id", s."name", s."note", s."_observed_at", 'load-2', s."_kb4_extracted_at", s."_kb4_row_hash", greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), coalesce("_kb4_found"."_kb4_earliest", coalesce(s."_observed_at", s."_kb4_extracted_at"))) FROM stage_titles_2 AS s LEFT JOIN (SELECT t."id", max(CASE WHEN t."_kb4_deleted_at" IS NULL THEN t."_kb4_valid_to" ELSE t."_kb4_valid_to" + INTERVAL 1 MILLISECOND END) AS "_kb4_earliest" FROM kb4."knowbe4"."titles" AS t WHERE EXISTS (SELECT 1 FROM stage_titles_2 AS e WHERE e."id" = t."id") GROUP BY t."id") AS "_kb4_found" ON "_kb4_found"."id" = s."id";
UPDATE kb4."knowbe4"."people" AS t SET "_kb4_deleted_at" = '2026-06-01T00:00:00.000Z' WHERE t."_kb4_deleted_at" IS NULL AND t."name" NOT IN ('it''s') AND NOT EXISTS (SELECT 1 FROM stage_people_2 AS s WHERE s."id" = t."id");
DELETE FROM stage_people_2 AS s USING (SELECT "id", max("_kb4_seq") AS "_kb4_last" FROM stage_people_2 GROUP BY "id" HAVING count(*) > 1) AS n WHERE s."id" = n."id" AND s."_kb4_seq" < n."_kb4_last";
DELETE FROM stage_people_2 AS s USING kb4."knowbe4"."people" AS t WHERE s."id" = t."id" AND s."_kb4_row_hash" = t."_kb4_row_hash" AND t."_kb4_deleted_at" IS NULL;
DELETE FROM kb4."knowbe4"."people" AS t USING stage_people_2 AS s WHERE t."id" = s."id";
INSERT INTO kb4."knowbe4"."people" ("id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", 'load-2', "_kb4_extracted_at", "_kb4_row_hash" FROM stage_people_2;
DELETE FROM stage_pairs_2 AS s USING (SELECT "b", "a", max("_kb4_seq") AS "_kb4_last" FROM stage_pairs_2 GROUP BY "b", "a" HAVING count(*) > 1) AS n WHERE s."b" = n."b" AND s."a" = n."a" AND s."_kb4_seq" < n."_kb4_last";
DELETE FROM kb4."knowbe4"."pairs" AS t USING stage_pairs_2 AS s WHERE t."b" = s."b" AND t."a" = s."a";
INSERT INTO kb4."knowbe4"."pairs" ("a", "b", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "a", "b", "_observed_at", 'load-2', "_kb4_extracted_at", "_kb4_row_hash" FROM stage_pairs_2;
INSERT INTO kb4."knowbe4"."events" ("what", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "what", "_observed_at", 'load-2', "_kb4_extracted_at", "_kb4_row_hash" FROM stage_events_1;
INSERT INTO kb4."knowbe4"."_kb4_loads" VALUES ('load-2', 'run-1', 'it''s', '', 'state', 0, 0, 0, '2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '1.2.3', NULL);
-- compare load-2
-- stage {"relation":"stage_people_3","rows":"people_3","columns":{"id":"BIGINT","name":"VARCHAR","score":"DOUBLE","is_active":"BOOLEAN","joined_at":"TIMESTAMPTZ","birthday":"DATE","jobs":"JSON","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
-- stage {"relation":"stage_titles_3","rows":"titles_3","columns":{"id":"BIGINT","name":"VARCHAR","note":"JSON","_observed_at":"TIMESTAMPTZ","_kb4_extracted_at":"TIMESTAMPTZ","_kb4_seq":"BIGINT","_kb4_row_hash":"VARCHAR"}}
UPDATE kb4."knowbe4"."_kb4_state" SET version = 3, load_id = 'load-3', updated_at = '2026-06-01T00:00:00.000Z' WHERE pipeline = 'it''s' AND stream = '' AND version = 2;
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'people';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'people', 3, '{"completedAt":"2026-06-01T00:00:00.000Z","note":"it''s \"2\" \\ \n"}', 'load-3', '2026-06-01T00:00:00.000Z');
DELETE FROM kb4."knowbe4"."_kb4_state" WHERE pipeline = 'it''s' AND stream = 'o''dd';
INSERT INTO kb4."knowbe4"."_kb4_state" VALUES ('it''s', 'o''dd', 3, '{"completedAt":null}', 'load-3', '2026-06-01T00:00:00.000Z');
DELETE FROM stage_titles_3 AS s USING (SELECT "id", max("_kb4_seq") AS "_kb4_last" FROM stage_titles_3 GROUP BY "id" HAVING count(*) > 1) AS n WHERE s."id" = n."id" AND s."_kb4_seq" < n."_kb4_last";
DELETE FROM stage_titles_3 AS s USING kb4."knowbe4"."titles" AS t WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL AND t."_kb4_row_hash" = s."_kb4_row_hash";
UPDATE kb4."knowbe4"."titles" AS t SET "_kb4_valid_to" = greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), t."_kb4_valid_from" + INTERVAL 1 MILLISECOND) FROM stage_titles_3 AS s WHERE t."id" = s."id" AND t."_kb4_valid_to" IS NULL;
INSERT INTO kb4."knowbe4"."titles" ("id", "name", "note", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash", "_kb4_valid_from") SELECT s."id", s."name", s."note", s."_observed_at", 'load-3', s."_kb4_extracted_at", s."_kb4_row_hash", greatest(coalesce(s."_observed_at", s."_kb4_extracted_at"), coalesce("_kb4_found"."_kb4_earliest", coalesce(s."_observed_at", s."_kb4_extracted_at"))) FROM stage_titles_3 AS s LEFT JOIN (SELECT t."id", max(CASE WHEN t."_kb4_deleted_at" IS NULL THEN t."_kb4_valid_to" ELSE t."_kb4_valid_to" + INTERVAL 1 MILLISECOND END) AS "_kb4_earliest" FROM kb4."knowbe4"."titles" AS t WHERE EXISTS (SELECT 1 FROM stage_titles_3 AS e WHERE e."id" = t."id") GROUP BY t."id") AS "_kb4_found" ON "_kb4_found"."id" = s."id";
DELETE FROM stage_people_3 AS s USING (SELECT "id", max("_kb4_seq") AS "_kb4_last" FROM stage_people_3 GROUP BY "id" HAVING count(*) > 1) AS n WHERE s."id" = n."id" AND s."_kb4_seq" < n."_kb4_last";
DELETE FROM stage_people_3 AS s USING kb4."knowbe4"."people" AS t WHERE s."id" = t."id" AND s."_kb4_row_hash" = t."_kb4_row_hash" AND t."_kb4_deleted_at" IS NULL;
DELETE FROM kb4."knowbe4"."people" AS t USING stage_people_3 AS s WHERE t."id" = s."id";
INSERT INTO kb4."knowbe4"."people" ("id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", "_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash") SELECT "id", "name", "score", "is_active", "joined_at", "birthday", "jobs", "_observed_at", 'load-3', "_kb4_extracted_at", "_kb4_row_hash" FROM stage_people_3;
DELETE FROM kb4."knowbe4"."pairs";
INSERT INTO kb4."knowbe4"."_kb4_loads" VALUES ('load-3', 'run-1', 'it''s', '', 'state', 0, 0, 0, '2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '1.2.3', NULL);
-- compare load-3

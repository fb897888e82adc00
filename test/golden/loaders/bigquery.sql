-- bookkeeping

CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`_kb4_state` (pipeline STRING NOT NULL, stream STRING NOT NULL, version INT64 NOT NULL, state JSON, load_id STRING NOT NULL, updated_at TIMESTAMP NOT NULL) OPTIONS(description = 'How far each stream has been read. Written in the transaction that wrote the rows.', labels = [("made_by", "knowbe4-connector")]);
CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`_kb4_loads` (load_id STRING NOT NULL, run_id STRING NOT NULL, pipeline STRING NOT NULL, stream STRING NOT NULL, mode STRING NOT NULL, rows_staged INT64 NOT NULL, rows_written INT64 NOT NULL, rows_rejected INT64 NOT NULL, started_at TIMESTAMP NOT NULL, committed_at TIMESTAMP NOT NULL, tool_version STRING NOT NULL, proof JSON) OPTIONS(description = 'One row per load and table. A load that is not here was not committed.', labels = [("made_by", "knowbe4-connector")]);
CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`_kb4_rejects` (load_id STRING NOT NULL, stream STRING NOT NULL, reason STRING NOT NULL, raw JSON, seen_at TIMESTAMP NOT NULL) OPTIONS(description = 'Rows that do not fit their stream, as they came, and why. May hold personal data.', labels = [("made_by", "knowbe4-connector")]);

-- describe

SELECT t.table_name AS relation, IF(t.table_type = 'BASE TABLE', 'table', 'view') AS kind, c.column_name AS name, c.data_type AS type, c.is_nullable = 'NO' AND IFNULL(JSON_VALUE(TO_JSON_STRING(c), '$.column_default'), 'NULL') = 'NULL' AS required FROM `test-project`.`knowbe4`.INFORMATION_SCHEMA.TABLES AS t LEFT JOIN `test-project`.`knowbe4`.INFORMATION_SCHEMA.COLUMNS AS c ON c.table_name = t.table_name WHERE NOT STARTS_WITH(t.table_name, '_kb4_stage_') ORDER BY t.table_name, c.ordinal_position;

-- createTable

CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`people` (`id` INT64 NOT NULL OPTIONS(description = 'The id.'), `name` STRING OPTIONS(description = 'The name.'), `score` FLOAT64 OPTIONS(description = 'The score.'), `is_active` BOOL OPTIONS(description = 'The is_active.'), `joined_at` TIMESTAMP OPTIONS(description = 'The joined_at.'), `birthday` DATE OPTIONS(description = 'The birthday.'), `jobs` JSON OPTIONS(description = 'The jobs.'), `_observed_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.'), `_kb4_load_id` STRING NOT NULL OPTIONS(description = 'Load that wrote this version of the row; see _kb4_loads.'), `_kb4_extracted_at` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row arrived from the source, UTC.'), `_kb4_row_hash` STRING NOT NULL OPTIONS(description = 'Digest of the row without _observed_at: rows with the same one are left alone.'), `_kb4_deleted_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this row\'s whole scope and did not find the row, UTC; null for one that is there.')) CLUSTER BY `id` OPTIONS(description = 'All people.', labels = [("made_by", "knowbe4-connector")]);

-- createTable, several keys

CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`pairs` (`a` INT64 NOT NULL OPTIONS(description = 'The a.'), `b` STRING NOT NULL OPTIONS(description = 'The b.'), `c` FLOAT64 NOT NULL OPTIONS(description = 'The c.'), `d` DATE OPTIONS(description = 'The d.'), `_observed_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.'), `_kb4_load_id` STRING NOT NULL OPTIONS(description = 'Load that wrote this version of the row; see _kb4_loads.'), `_kb4_extracted_at` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row arrived from the source, UTC.'), `_kb4_row_hash` STRING NOT NULL OPTIONS(description = 'Digest of the row without _observed_at: rows with the same one are left alone.'), `_kb4_deleted_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this row\'s whole scope and did not find the row, UTC; null for one that is there.')) CLUSTER BY `b`, `a` OPTIONS(description = 'All pairs.', labels = [("made_by", "knowbe4-connector")]);

-- createTable, without a key

CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`keyless` (`Ünï-1` STRING OPTIONS(description = 'The Ünï-1.'), `_observed_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.'), `_kb4_load_id` STRING NOT NULL OPTIONS(description = 'Load that wrote this version of the row; see _kb4_loads.'), `_kb4_extracted_at` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row arrived from the source, UTC.'), `_kb4_row_hash` STRING NOT NULL OPTIONS(description = 'Digest of the row without _observed_at: rows with the same one are left alone.'), `_kb4_deleted_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this row\'s whole scope and did not find the row, UTC; null for one that is there.')) OPTIONS(labels = [("made_by", "knowbe4-connector")]);

-- createTable, by month

CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`people` (`id` INT64 NOT NULL OPTIONS(description = 'The id.'), `name` STRING OPTIONS(description = 'The name.'), `score` FLOAT64 OPTIONS(description = 'The score.'), `is_active` BOOL OPTIONS(description = 'The is_active.'), `joined_at` TIMESTAMP OPTIONS(description = 'The joined_at.'), `birthday` DATE OPTIONS(description = 'The birthday.'), `jobs` JSON OPTIONS(description = 'The jobs.'), `_observed_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.'), `_kb4_load_id` STRING NOT NULL OPTIONS(description = 'Load that wrote this version of the row; see _kb4_loads.'), `_kb4_extracted_at` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row arrived from the source, UTC.'), `_kb4_row_hash` STRING NOT NULL OPTIONS(description = 'Digest of the row without _observed_at: rows with the same one are left alone.'), `_kb4_deleted_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this row\'s whole scope and did not find the row, UTC; null for one that is there.')) PARTITION BY TIMESTAMP_TRUNC(`joined_at`, MONTH) CLUSTER BY `id` OPTIONS(description = 'All people.', labels = [("made_by", "knowbe4-connector")]);
CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`people` (`id` INT64 NOT NULL OPTIONS(description = 'The id.'), `name` STRING OPTIONS(description = 'The name.'), `score` FLOAT64 OPTIONS(description = 'The score.'), `is_active` BOOL OPTIONS(description = 'The is_active.'), `joined_at` TIMESTAMP OPTIONS(description = 'The joined_at.'), `birthday` DATE OPTIONS(description = 'The birthday.'), `jobs` JSON OPTIONS(description = 'The jobs.'), `_observed_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.'), `_kb4_load_id` STRING NOT NULL OPTIONS(description = 'Load that wrote this version of the row; see _kb4_loads.'), `_kb4_extracted_at` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row arrived from the source, UTC.'), `_kb4_row_hash` STRING NOT NULL OPTIONS(description = 'Digest of the row without _observed_at: rows with the same one are left alone.'), `_kb4_deleted_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this row\'s whole scope and did not find the row, UTC; null for one that is there.')) PARTITION BY DATE_TRUNC(`birthday`, MONTH) CLUSTER BY `id` OPTIONS(description = 'All people.', labels = [("made_by", "knowbe4-connector")]);
CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`people` (`id` INT64 NOT NULL OPTIONS(description = 'The id.'), `name` STRING OPTIONS(description = 'The name.'), `score` FLOAT64 OPTIONS(description = 'The score.'), `is_active` BOOL OPTIONS(description = 'The is_active.'), `joined_at` TIMESTAMP OPTIONS(description = 'The joined_at.'), `birthday` DATE OPTIONS(description = 'The birthday.'), `jobs` JSON OPTIONS(description = 'The jobs.'), `_observed_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.'), `_kb4_load_id` STRING NOT NULL OPTIONS(description = 'Load that wrote this version of the row; see _kb4_loads.'), `_kb4_extracted_at` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row arrived from the source, UTC.'), `_kb4_row_hash` STRING NOT NULL OPTIONS(description = 'Digest of the row without _observed_at: rows with the same one are left alone.'), `_kb4_deleted_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this row\'s whole scope and did not find the row, UTC; null for one that is there.')) CLUSTER BY `id` OPTIONS(description = 'All people.', labels = [("made_by", "knowbe4-connector")]);

-- addColumn

ALTER TABLE `test-project`.`knowbe4`.`people` ADD COLUMN IF NOT EXISTS `age` INT64 OPTIONS(description = 'It\'s.');

-- widenColumn, integer to number

ALTER TABLE `test-project`.`knowbe4`.`people` ALTER COLUMN `name` SET DATA TYPE FLOAT64;

-- widenColumn, integer to string

ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_old_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_wide_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` ADD COLUMN `_kb4_wide_name` STRING;
UPDATE `test-project`.`knowbe4`.`people` SET `_kb4_wide_name` = CAST(`name` AS STRING) WHERE `name` IS NOT NULL;
ALTER TABLE `test-project`.`knowbe4`.`people` RENAME COLUMN `name` TO `_kb4_old_name`, RENAME COLUMN `_kb4_wide_name` TO `name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN `_kb4_old_name`;

-- widenColumn, number to string

ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_old_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_wide_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` ADD COLUMN `_kb4_wide_name` STRING;
UPDATE `test-project`.`knowbe4`.`people` SET `_kb4_wide_name` = CAST(`name` AS STRING) WHERE `name` IS NOT NULL;
ALTER TABLE `test-project`.`knowbe4`.`people` RENAME COLUMN `name` TO `_kb4_old_name`, RENAME COLUMN `_kb4_wide_name` TO `name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN `_kb4_old_name`;

-- widenColumn, boolean to string

ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_old_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_wide_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` ADD COLUMN `_kb4_wide_name` STRING;
UPDATE `test-project`.`knowbe4`.`people` SET `_kb4_wide_name` = CAST(`name` AS STRING) WHERE `name` IS NOT NULL;
ALTER TABLE `test-project`.`knowbe4`.`people` RENAME COLUMN `name` TO `_kb4_old_name`, RENAME COLUMN `_kb4_wide_name` TO `name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN `_kb4_old_name`;

-- widenColumn, date to timestamp

ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_old_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_wide_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` ADD COLUMN `_kb4_wide_name` TIMESTAMP;
UPDATE `test-project`.`knowbe4`.`people` SET `_kb4_wide_name` = CAST(`name` AS TIMESTAMP) WHERE `name` IS NOT NULL;
ALTER TABLE `test-project`.`knowbe4`.`people` RENAME COLUMN `name` TO `_kb4_old_name`, RENAME COLUMN `_kb4_wide_name` TO `name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN `_kb4_old_name`;

-- widenColumn, date to string

ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_old_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_wide_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` ADD COLUMN `_kb4_wide_name` STRING;
UPDATE `test-project`.`knowbe4`.`people` SET `_kb4_wide_name` = CAST(`name` AS STRING) WHERE `name` IS NOT NULL;
ALTER TABLE `test-project`.`knowbe4`.`people` RENAME COLUMN `name` TO `_kb4_old_name`, RENAME COLUMN `_kb4_wide_name` TO `name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN `_kb4_old_name`;

-- widenColumn, timestamp to string

ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_old_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_wide_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` ADD COLUMN `_kb4_wide_name` STRING;
UPDATE `test-project`.`knowbe4`.`people` SET `_kb4_wide_name` = FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%E3SZ', `name`, 'UTC') WHERE `name` IS NOT NULL;
ALTER TABLE `test-project`.`knowbe4`.`people` RENAME COLUMN `name` TO `_kb4_old_name`, RENAME COLUMN `_kb4_wide_name` TO `name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN `_kb4_old_name`;

-- widenColumn, json to string

ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_old_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN IF EXISTS `_kb4_wide_name`;
ALTER TABLE `test-project`.`knowbe4`.`people` ADD COLUMN `_kb4_wide_name` STRING;
UPDATE `test-project`.`knowbe4`.`people` SET `_kb4_wide_name` = IF(JSON_TYPE(`name`) = 'string', JSON_VALUE(`name`), TO_JSON_STRING(`name`)) WHERE `name` IS NOT NULL;
ALTER TABLE `test-project`.`knowbe4`.`people` RENAME COLUMN `name` TO `_kb4_old_name`, RENAME COLUMN `_kb4_wide_name` TO `name`;
ALTER TABLE `test-project`.`knowbe4`.`people` DROP COLUMN `_kb4_old_name`;

-- countChanges

SELECT COUNT(*) AS n FROM (SELECT `id`, `_kb4_row_hash` FROM `test-project`.`knowbe4`.`_kb4_stage_1` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY `id` ORDER BY `_kb4_seq` DESC) = 1) AS s LEFT JOIN `test-project`.`knowbe4`.`people` AS t ON t.`id` = s.`id` WHERE t.`_kb4_row_hash` IS NULL OR t.`_kb4_row_hash` != s.`_kb4_row_hash` OR t.`_kb4_deleted_at` IS NOT NULL;

-- moveState, first

MERGE INTO `test-project`.`knowbe4`.`_kb4_state` AS t USING (SELECT 'it\'s' AS pipeline) AS s ON t.pipeline = s.pipeline AND t.stream = '' WHEN NOT MATCHED THEN INSERT (pipeline, stream, version, state, load_id, updated_at) VALUES (s.pipeline, '', 1, NULL, 'load-1', TIMESTAMP '2026-06-01T00:00:00.000Z');
UPDATE `test-project`.`knowbe4`.`_kb4_state` SET version = 1, load_id = 'load-1', updated_at = TIMESTAMP '2026-06-01T00:00:00.000Z' WHERE pipeline = 'it\'s' AND stream = '' AND version = 1;
DELETE FROM `test-project`.`knowbe4`.`_kb4_state` WHERE pipeline = 'it\'s' AND stream IN ('people', 'o\'d\\d');
INSERT INTO `test-project`.`knowbe4`.`_kb4_state` (pipeline, stream, version, state, load_id, updated_at) VALUES ('it\'s', 'people', 1, PARSE_JSON('{"completedAt":"2026-06-01T00:00:00.000Z"}', wide_number_mode => 'round'), 'load-1', TIMESTAMP '2026-06-01T00:00:00.000Z'), ('it\'s', 'o\'d\\d', 1, PARSE_JSON('{"completedAt":null,"cursor":"2026-01-01"}', wide_number_mode => 'round'), 'load-1', TIMESTAMP '2026-06-01T00:00:00.000Z');

-- moveState, later

UPDATE `test-project`.`knowbe4`.`_kb4_state` SET version = 2, load_id = 'load-1', updated_at = TIMESTAMP '2026-06-01T00:00:00.000Z' WHERE pipeline = 'it\'s' AND stream = '' AND version = 1;
DELETE FROM `test-project`.`knowbe4`.`_kb4_state` WHERE pipeline = 'it\'s' AND stream IN ('people', 'o\'d\\d');
INSERT INTO `test-project`.`knowbe4`.`_kb4_state` (pipeline, stream, version, state, load_id, updated_at) VALUES ('it\'s', 'people', 2, PARSE_JSON('{"completedAt":"2026-06-01T00:00:00.000Z"}', wide_number_mode => 'round'), 'load-1', TIMESTAMP '2026-06-01T00:00:00.000Z'), ('it\'s', 'o\'d\\d', 2, PARSE_JSON('{"completedAt":null,"cursor":"2026-01-01"}', wide_number_mode => 'round'), 'load-1', TIMESTAMP '2026-06-01T00:00:00.000Z');

-- moveState, without bookmarks

UPDATE `test-project`.`knowbe4`.`_kb4_state` SET version = 2, load_id = 'load-1', updated_at = TIMESTAMP '2026-06-01T00:00:00.000Z' WHERE pipeline = 'it\'s' AND stream = '' AND version = 1;

-- countVanished

SELECT (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`people` AS t WHERE t.`_kb4_deleted_at` IS NULL OR t.`_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z') AS live, (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`people` AS t WHERE t.`_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z') + (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`people` AS t WHERE t.`_kb4_deleted_at` IS NULL AND (t.`id` IN (3, 4) OR t.`name` NOT IN ('it\'s', 'b')) AND NOT EXISTS (SELECT 1 FROM `test-project`.`knowbe4`.`_kb4_stage_1` AS s WHERE s.`id` = t.`id`)) AS vanished;

-- markVanished

UPDATE `test-project`.`knowbe4`.`people` AS t SET `_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z' WHERE t.`_kb4_deleted_at` IS NULL AND (t.`id` IN (3, 4) OR t.`name` NOT IN ('it\'s', 'b')) AND NOT EXISTS (SELECT 1 FROM `test-project`.`knowbe4`.`_kb4_stage_1` AS s WHERE s.`id` = t.`id`);

-- countVanished, nothing left

SELECT (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`pairs` AS t WHERE t.`_kb4_deleted_at` IS NULL OR t.`_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z') AS live, (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`pairs` AS t WHERE t.`_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z') + (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`pairs` AS t WHERE t.`_kb4_deleted_at` IS NULL AND TRUE) AS vanished;

-- markVanished, nothing left

UPDATE `test-project`.`knowbe4`.`pairs` AS t SET `_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z' WHERE t.`_kb4_deleted_at` IS NULL AND TRUE;

-- createTable, with history

CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`kept` (`id` INT64 NOT NULL OPTIONS(description = 'The id.'), `name` STRING OPTIONS(description = 'The name.'), `score` FLOAT64 OPTIONS(description = 'The score.'), `is_active` BOOL OPTIONS(description = 'The is_active.'), `joined_at` TIMESTAMP OPTIONS(description = 'The joined_at.'), `birthday` DATE OPTIONS(description = 'The birthday.'), `jobs` JSON OPTIONS(description = 'The jobs.'), `_observed_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.'), `_kb4_load_id` STRING NOT NULL OPTIONS(description = 'Load that wrote this version of the row; see _kb4_loads.'), `_kb4_extracted_at` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row arrived from the source, UTC.'), `_kb4_row_hash` STRING NOT NULL OPTIONS(description = 'Digest of the row without _observed_at: rows with the same one are left alone.'), `_kb4_deleted_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this row\'s whole scope and did not find the row, UTC; null for one that is there.'), `_kb4_valid_from` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row was first observed, UTC.'), `_kb4_valid_to` TIMESTAMP OPTIONS(description = 'When a later version was observed, or the row was found to be gone, UTC: from then on this version does not hold; null for the one that holds now.')) CLUSTER BY `id` OPTIONS(description = 'All people.', labels = [("made_by", "knowbe4-connector")]);

-- createTable, with history and several keys

CREATE TABLE IF NOT EXISTS `test-project`.`knowbe4`.`pairs kept` (`a` INT64 NOT NULL OPTIONS(description = 'The a.'), `b` STRING NOT NULL OPTIONS(description = 'The b.'), `c` FLOAT64 NOT NULL OPTIONS(description = 'The c.'), `d` DATE OPTIONS(description = 'The d.'), `_observed_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.'), `_kb4_load_id` STRING NOT NULL OPTIONS(description = 'Load that wrote this version of the row; see _kb4_loads.'), `_kb4_extracted_at` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row arrived from the source, UTC.'), `_kb4_row_hash` STRING NOT NULL OPTIONS(description = 'Digest of the row without _observed_at: rows with the same one are left alone.'), `_kb4_deleted_at` TIMESTAMP OPTIONS(description = 'Start of the run that read this row\'s whole scope and did not find the row, UTC; null for one that is there.'), `_kb4_valid_from` TIMESTAMP NOT NULL OPTIONS(description = 'When this version of the row was first observed, UTC.'), `_kb4_valid_to` TIMESTAMP OPTIONS(description = 'When a later version was observed, or the row was found to be gone, UTC: from then on this version does not hold; null for the one that holds now.')) CLUSTER BY `b`, `a` OPTIONS(description = 'All pairs.', labels = [("made_by", "knowbe4-connector")]);

-- history, makeView

CREATE OR REPLACE VIEW `test-project`.`knowbe4`.`kept_current` OPTIONS(description = 'Rows of kept as they are now.') AS SELECT `id`, `name`, `_kb4_valid_from` FROM `test-project`.`knowbe4`.`kept` WHERE `_kb4_valid_to` IS NULL;

-- history, makeView, several keys

CREATE OR REPLACE VIEW `test-project`.`knowbe4`.`pairs kept_current` OPTIONS(description = 'Rows of pairs kept as they are now.') AS SELECT `a`, `b` FROM `test-project`.`knowbe4`.`pairs kept` WHERE `_kb4_valid_to` IS NULL;

-- history, countVanished

SELECT (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`kept` AS t WHERE t.`_kb4_valid_to` IS NULL OR t.`_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z') AS live, (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`kept` AS t WHERE t.`_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z') + (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`kept` AS t WHERE t.`_kb4_valid_to` IS NULL AND (t.`id` IN (3, 4) OR t.`name` NOT IN ('it\'s', 'b')) AND NOT EXISTS (SELECT 1 FROM `test-project`.`knowbe4`.`_kb4_stage_1` AS s WHERE s.`id` = t.`id`)) AS vanished;

-- history, markVanished

UPDATE `test-project`.`knowbe4`.`kept` AS t SET `_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z', `_kb4_valid_to` = GREATEST(TIMESTAMP '2026-06-01T00:00:00.000Z', TIMESTAMP_ADD(t.`_kb4_valid_from`, INTERVAL 1 MILLISECOND)) WHERE t.`_kb4_valid_to` IS NULL AND (t.`id` IN (3, 4) OR t.`name` NOT IN ('it\'s', 'b')) AND NOT EXISTS (SELECT 1 FROM `test-project`.`knowbe4`.`_kb4_stage_1` AS s WHERE s.`id` = t.`id`);

-- history, markVanished, nothing left

UPDATE `test-project`.`knowbe4`.`pairs kept` AS t SET `_kb4_deleted_at` = TIMESTAMP '2026-06-01T00:00:00.000Z', `_kb4_valid_to` = GREATEST(TIMESTAMP '2026-06-01T00:00:00.000Z', TIMESTAMP_ADD(t.`_kb4_valid_from`, INTERVAL 1 MILLISECOND)) WHERE t.`_kb4_valid_to` IS NULL AND TRUE;

-- history, countChanges

SELECT COUNT(*) AS n FROM (SELECT `id`, `_kb4_row_hash` FROM `test-project`.`knowbe4`.`_kb4_stage_1` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY `id` ORDER BY `_kb4_seq` DESC) = 1) AS s LEFT JOIN `test-project`.`knowbe4`.`kept` AS t ON t.`id` = s.`id` AND t.`_kb4_valid_to` IS NULL WHERE t.`_kb4_row_hash` IS NULL OR t.`_kb4_row_hash` != s.`_kb4_row_hash`;

-- history, merge

MERGE INTO `test-project`.`knowbe4`.`kept` AS t USING (SELECT s.*, GREATEST(COALESCE(s.`_observed_at`, s.`_kb4_extracted_at`), COALESCE(b.`_kb4_earliest`, COALESCE(s.`_observed_at`, s.`_kb4_extracted_at`))) AS `_kb4_at`, e.`_kb4_ends` FROM (SELECT * REPLACE (PARSE_JSON(`jobs`, wide_number_mode => 'round') AS `jobs`) FROM `test-project`.`knowbe4`.`_kb4_stage_1` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY `id` ORDER BY `_kb4_seq` DESC) = 1) AS s LEFT JOIN (SELECT t.`id`, MAX(IF(t.`_kb4_valid_to` IS NULL, t.`_kb4_row_hash`, NULL)) AS `_kb4_holds`, MAX(CASE WHEN t.`_kb4_valid_to` IS NULL THEN TIMESTAMP_ADD(t.`_kb4_valid_from`, INTERVAL 1 MILLISECOND) WHEN t.`_kb4_deleted_at` IS NULL THEN t.`_kb4_valid_to` ELSE TIMESTAMP_ADD(t.`_kb4_valid_to`, INTERVAL 1 MILLISECOND) END) AS `_kb4_earliest` FROM `test-project`.`knowbe4`.`kept` AS t GROUP BY t.`id`) AS b ON b.`id` = s.`id` CROSS JOIN (SELECT TRUE AS `_kb4_ends` UNION ALL SELECT FALSE) AS e WHERE (b.`_kb4_holds` IS NULL OR b.`_kb4_holds` != s.`_kb4_row_hash`) AND (NOT e.`_kb4_ends` OR b.`_kb4_holds` IS NOT NULL)) AS s ON t.`id` = s.`id` AND t.`_kb4_valid_to` IS NULL AND s.`_kb4_ends` WHEN MATCHED THEN UPDATE SET `_kb4_valid_to` = s.`_kb4_at` WHEN NOT MATCHED THEN INSERT (`id`, `name`, `score`, `is_active`, `joined_at`, `birthday`, `jobs`, `_observed_at`, `_kb4_load_id`, `_kb4_extracted_at`, `_kb4_row_hash`, `_kb4_valid_from`) VALUES (s.`id`, s.`name`, s.`score`, s.`is_active`, s.`joined_at`, s.`birthday`, s.`jobs`, s.`_observed_at`, 'load-1', s.`_kb4_extracted_at`, s.`_kb4_row_hash`, s.`_kb4_at`);

-- history, merge, keys that repeat and columns that are new

MERGE INTO `test-project`.`knowbe4`.`pairs kept` AS t USING (SELECT * FROM `test-project`.`knowbe4`.`_kb4_stage_2` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY `b`, `c`, `a` ORDER BY `_kb4_seq` DESC) = 1) AS s ON t.`b` = s.`b` AND t.`c` = s.`c` AND t.`a` = s.`a` AND t.`_kb4_valid_to` IS NULL AND t.`_kb4_row_hash` = s.`_kb4_row_hash` WHEN MATCHED THEN UPDATE SET `d` = s.`d`;
MERGE INTO `test-project`.`knowbe4`.`pairs kept` AS t USING (SELECT s.*, GREATEST(COALESCE(s.`_observed_at`, s.`_kb4_extracted_at`), COALESCE(b.`_kb4_earliest`, COALESCE(s.`_observed_at`, s.`_kb4_extracted_at`))) AS `_kb4_at`, e.`_kb4_ends` FROM (SELECT * FROM `test-project`.`knowbe4`.`_kb4_stage_2` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY `b`, `c`, `a` ORDER BY `_kb4_seq` DESC) = 1) AS s LEFT JOIN (SELECT t.`b`, t.`c`, t.`a`, MAX(IF(t.`_kb4_valid_to` IS NULL, t.`_kb4_row_hash`, NULL)) AS `_kb4_holds`, MAX(CASE WHEN t.`_kb4_valid_to` IS NULL THEN TIMESTAMP_ADD(t.`_kb4_valid_from`, INTERVAL 1 MILLISECOND) WHEN t.`_kb4_deleted_at` IS NULL THEN t.`_kb4_valid_to` ELSE TIMESTAMP_ADD(t.`_kb4_valid_to`, INTERVAL 1 MILLISECOND) END) AS `_kb4_earliest` FROM `test-project`.`knowbe4`.`pairs kept` AS t GROUP BY t.`b`, t.`c`, t.`a`) AS b ON b.`b` = s.`b` AND b.`c` = s.`c` AND b.`a` = s.`a` CROSS JOIN (SELECT TRUE AS `_kb4_ends` UNION ALL SELECT FALSE) AS e WHERE (b.`_kb4_holds` IS NULL OR b.`_kb4_holds` != s.`_kb4_row_hash`) AND (NOT e.`_kb4_ends` OR b.`_kb4_holds` IS NOT NULL)) AS s ON t.`b` = s.`b` AND t.`c` = s.`c` AND t.`a` = s.`a` AND t.`_kb4_valid_to` IS NULL AND s.`_kb4_ends` WHEN MATCHED THEN UPDATE SET `_kb4_valid_to` = s.`_kb4_at` WHEN NOT MATCHED THEN INSERT (`a`, `b`, `c`, `d`, `_observed_at`, `_kb4_load_id`, `_kb4_extracted_at`, `_kb4_row_hash`, `_kb4_valid_from`) VALUES (s.`a`, s.`b`, s.`c`, s.`d`, s.`_observed_at`, 'load-1', s.`_kb4_extracted_at`, s.`_kb4_row_hash`, s.`_kb4_at`);

-- merge

MERGE INTO `test-project`.`knowbe4`.`people` AS t USING (SELECT * REPLACE (PARSE_JSON(`jobs`, wide_number_mode => 'round') AS `jobs`) FROM `test-project`.`knowbe4`.`_kb4_stage_1` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY `id` ORDER BY `_kb4_seq` DESC) = 1) AS s ON t.`id` = s.`id` WHEN MATCHED AND (t.`_kb4_row_hash` != s.`_kb4_row_hash` OR t.`_kb4_deleted_at` IS NOT NULL) THEN UPDATE SET `name` = s.`name`, `score` = s.`score`, `is_active` = s.`is_active`, `joined_at` = s.`joined_at`, `birthday` = s.`birthday`, `jobs` = s.`jobs`, `_observed_at` = s.`_observed_at`, `_kb4_load_id` = 'load-1', `_kb4_extracted_at` = s.`_kb4_extracted_at`, `_kb4_row_hash` = s.`_kb4_row_hash`, `_kb4_deleted_at` = CAST(NULL AS TIMESTAMP) WHEN NOT MATCHED THEN INSERT (`id`, `name`, `score`, `is_active`, `joined_at`, `birthday`, `jobs`, `_observed_at`, `_kb4_load_id`, `_kb4_extracted_at`, `_kb4_row_hash`) VALUES (s.`id`, s.`name`, s.`score`, s.`is_active`, s.`joined_at`, s.`birthday`, s.`jobs`, s.`_observed_at`, 'load-1', s.`_kb4_extracted_at`, s.`_kb4_row_hash`);

-- merge, columns that are new

MERGE INTO `test-project`.`knowbe4`.`pairs` AS t USING (SELECT * FROM `test-project`.`knowbe4`.`_kb4_stage_2` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY `b`, `c`, `a` ORDER BY `_kb4_seq` DESC) = 1) AS s ON t.`b` = s.`b` AND t.`c` = s.`c` AND t.`a` = s.`a` WHEN MATCHED THEN UPDATE SET `d` = s.`d`, `_observed_at` = s.`_observed_at`, `_kb4_load_id` = 'load-1', `_kb4_extracted_at` = s.`_kb4_extracted_at`, `_kb4_row_hash` = s.`_kb4_row_hash`, `_kb4_deleted_at` = CAST(NULL AS TIMESTAMP) WHEN NOT MATCHED THEN INSERT (`a`, `b`, `c`, `d`, `_observed_at`, `_kb4_load_id`, `_kb4_extracted_at`, `_kb4_row_hash`) VALUES (s.`a`, s.`b`, s.`c`, s.`d`, s.`_observed_at`, 'load-1', s.`_kb4_extracted_at`, s.`_kb4_row_hash`);

-- append

INSERT INTO `test-project`.`knowbe4`.`people` (`id`, `name`, `score`, `is_active`, `joined_at`, `birthday`, `jobs`, `_observed_at`, `_kb4_load_id`, `_kb4_extracted_at`, `_kb4_row_hash`) SELECT s.`id`, s.`name`, s.`score`, s.`is_active`, s.`joined_at`, s.`birthday`, PARSE_JSON(s.`jobs`, wide_number_mode => 'round'), s.`_observed_at`, 'load-1', s.`_kb4_extracted_at`, s.`_kb4_row_hash` FROM `test-project`.`knowbe4`.`_kb4_stage_1` AS s;

-- replace

DELETE FROM `test-project`.`knowbe4`.`people` WHERE TRUE;
INSERT INTO `test-project`.`knowbe4`.`people` (`id`, `name`, `score`, `is_active`, `joined_at`, `birthday`, `jobs`, `_observed_at`, `_kb4_load_id`, `_kb4_extracted_at`, `_kb4_row_hash`) SELECT s.`id`, s.`name`, s.`score`, s.`is_active`, s.`joined_at`, s.`birthday`, PARSE_JSON(s.`jobs`, wide_number_mode => 'round'), s.`_observed_at`, 'load-1', s.`_kb4_extracted_at`, s.`_kb4_row_hash` FROM `test-project`.`knowbe4`.`_kb4_stage_1` AS s;

-- replace, by nothing

DELETE FROM `test-project`.`knowbe4`.`people` WHERE TRUE;

-- appendRejects

INSERT INTO `test-project`.`knowbe4`.`_kb4_rejects` (load_id, stream, reason, raw, seen_at) SELECT 'load-1', s.stream, s.reason, PARSE_JSON(s.raw, wide_number_mode => 'round'), s.seen_at FROM `test-project`.`knowbe4`.`_kb4_stage_3` AS s;

-- recordLoad

INSERT INTO `test-project`.`knowbe4`.`_kb4_loads` (load_id, run_id, pipeline, stream, mode, rows_staged, rows_written, rows_rejected, started_at, committed_at, tool_version, proof) SELECT 'load-1', 'run-1', 'it\'s', 'people', 'merge', 2, (SELECT COUNT(*) FROM `test-project`.`knowbe4`.`people` WHERE `_kb4_load_id` = 'load-1'), 1, TIMESTAMP '2026-06-01T00:00:00.000Z', TIMESTAMP '2026-06-01T00:00:00.000Z', '1.2.3', PARSE_JSON('{"came":2,"ends":"it\'s empty"}') UNION ALL SELECT 'load-1', 'run-1', 'it\'s', 'pairs', 'merge', 2, 0, 1, TIMESTAMP '2026-06-01T00:00:00.000Z', TIMESTAMP '2026-06-01T00:00:00.000Z', '1.2.3', NULL;

-- recordLoad, of the state alone

INSERT INTO `test-project`.`knowbe4`.`_kb4_loads` (load_id, run_id, pipeline, stream, mode, rows_staged, rows_written, rows_rejected, started_at, committed_at, tool_version, proof) SELECT 'load-1', 'run-1', 'it\'s', '', 'state', 0, 0, 0, TIMESTAMP '2026-06-01T00:00:00.000Z', TIMESTAMP '2026-06-01T00:00:00.000Z', '1.2.3', NULL;

-- readState

SELECT stream, version, TO_JSON_STRING(state) AS state FROM `test-project`.`knowbe4`.`_kb4_state` WHERE pipeline = 'it\'s' ORDER BY stream;

-- readProofs

SELECT stream, TO_JSON_STRING(proof) AS proof FROM `test-project`.`knowbe4`.`_kb4_loads` WHERE pipeline = 'it\'s' AND proof IS NOT NULL QUALIFY ROW_NUMBER() OVER (PARTITION BY stream ORDER BY committed_at DESC) = 1 ORDER BY stream;

-- countRows

SELECT `id` AS part, COUNT(*) AS n FROM (SELECT DISTINCT `id` FROM `test-project`.`knowbe4`.`people` WHERE `_kb4_deleted_at` IS NULL) GROUP BY 1 ORDER BY 1;

-- countRows, all of a table of an earlier version

SELECT '' AS part, COUNT(*) AS n FROM (SELECT DISTINCT `id` FROM `test-project`.`knowbe4`.`people`) GROUP BY 1 ORDER BY 1;

-- pipelines

SELECT DISTINCT pipeline FROM `test-project`.`knowbe4`.`_kb4_state` ORDER BY pipeline;

-- appended

SELECT stream FROM `test-project`.`knowbe4`.`_kb4_loads` WHERE mode IN ('merge', 'append', 'replace', 'history') GROUP BY stream HAVING MAX(CASE WHEN mode = 'append' THEN committed_at END) = MAX(committed_at) ORDER BY stream;

-- findLoad

SELECT 1 AS found FROM `test-project`.`knowbe4`.`_kb4_loads` WHERE load_id = 'load-1' LIMIT 1;

-- readKeys

SELECT `id`, `_kb4_row_hash`, `_kb4_deleted_at` FROM `test-project`.`knowbe4`.`people`;

-- rewrite

UPDATE `test-project`.`knowbe4`.`people` SET `_kb4_deleted_at` = `_kb4_deleted_at` WHERE TRUE;

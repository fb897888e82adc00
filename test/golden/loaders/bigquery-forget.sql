-- users

SELECT DISTINCT CAST(`id` AS STRING) AS `id` FROM `acme-dwh`.`crm`.`users` WHERE CAST(`id` AS STRING) IS NOT NULL AND (LOWER(TRIM(CAST(`email` AS STRING))) IN ('o\'ada@example.org', 'e7f0') OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"o\'ada@example.org"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"e7f0"') > 0);
SELECT DISTINCT CAST(`email` AS STRING) AS `email` FROM `acme-dwh`.`crm`.`users` WHERE CAST(`email` AS STRING) IS NOT NULL AND (CAST(`id` AS STRING) IN ('47', 'd2a1'));
SELECT COUNT(*) AS `n` FROM `acme-dwh`.`crm`.`users` WHERE CAST(`id` AS STRING) IN ('47', 'd2a1') OR (CAST(`id` AS STRING) IS NULL AND (LOWER(TRIM(CAST(`email` AS STRING))) IN ('o\'ada@example.org', 'e7f0') OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"o\'ada@example.org"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"e7f0"') > 0));
SELECT COUNT(*) AS `n` FROM `acme-dwh`.`crm`.`users` WHERE (LOWER(TRIM(CAST(`manager_email` AS STRING))) IN ('o\'ada@example.org', 'e7f0')) AND NOT COALESCE(CAST(`id` AS STRING) IN ('47', 'd2a1') OR (CAST(`id` AS STRING) IS NULL AND (LOWER(TRIM(CAST(`email` AS STRING))) IN ('o\'ada@example.org', 'e7f0') OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"o\'ada@example.org"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"e7f0"') > 0)), FALSE);
UPDATE `acme-dwh`.`crm`.`users` SET `manager_name` = NULL, `manager_email` = NULL WHERE (LOWER(TRIM(CAST(`manager_email` AS STRING))) IN ('o\'ada@example.org', 'e7f0')) AND NOT COALESCE(CAST(`id` AS STRING) IN ('47', 'd2a1') OR (CAST(`id` AS STRING) IS NULL AND (LOWER(TRIM(CAST(`email` AS STRING))) IN ('o\'ada@example.org', 'e7f0') OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"o\'ada@example.org"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"e7f0"') > 0)), FALSE);
DELETE FROM `acme-dwh`.`crm`.`users` WHERE CAST(`id` AS STRING) IN ('47', 'd2a1') OR (CAST(`id` AS STRING) IS NULL AND (LOWER(TRIM(CAST(`email` AS STRING))) IN ('o\'ada@example.org', 'e7f0') OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"o\'ada@example.org"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`aliases`)), '"e7f0"') > 0));

-- group_members

SELECT COUNT(*) AS `n` FROM `acme-dwh`.`crm`.`group_members` WHERE CAST(`user_id` AS STRING) IN ('47', 'd2a1');
DELETE FROM `acme-dwh`.`crm`.`group_members` WHERE CAST(`user_id` AS STRING) IN ('47', 'd2a1');

-- enrollments

SELECT DISTINCT CAST(`user_id` AS STRING) AS `id` FROM `acme-dwh`.`crm`.`enrollments` WHERE CAST(`user_id` AS STRING) IS NOT NULL AND (LOWER(TRIM(JSON_VALUE(`user`, '$.email'))) IN ('o\'ada@example.org', 'e7f0'));
SELECT DISTINCT JSON_VALUE(`user`, '$.email') AS `email` FROM `acme-dwh`.`crm`.`enrollments` WHERE JSON_VALUE(`user`, '$.email') IS NOT NULL AND (CAST(`user_id` AS STRING) IN ('47', 'd2a1') OR JSON_VALUE(`user`, '$.id') IN ('47', 'd2a1'));
SELECT COUNT(*) AS `n` FROM `acme-dwh`.`crm`.`enrollments` WHERE CAST(`user_id` AS STRING) IN ('47', 'd2a1') OR JSON_VALUE(`user`, '$.id') IN ('47', 'd2a1') OR (CAST(`user_id` AS STRING) IS NULL AND JSON_VALUE(`user`, '$.id') IS NULL AND (LOWER(TRIM(JSON_VALUE(`user`, '$.email'))) IN ('o\'ada@example.org', 'e7f0')));
DELETE FROM `acme-dwh`.`crm`.`enrollments` WHERE CAST(`user_id` AS STRING) IN ('47', 'd2a1') OR JSON_VALUE(`user`, '$.id') IN ('47', 'd2a1') OR (CAST(`user_id` AS STRING) IS NULL AND JSON_VALUE(`user`, '$.id') IS NULL AND (LOWER(TRIM(JSON_VALUE(`user`, '$.email'))) IN ('o\'ada@example.org', 'e7f0')));

-- security_test_recipients

SELECT DISTINCT CAST(`user_id` AS STRING) AS `id` FROM `acme-dwh`.`crm`.`security_test_recipients` WHERE CAST(`user_id` AS STRING) IS NOT NULL AND (LOWER(TRIM(JSON_VALUE(`user`, '$.email'))) IN ('o\'ada@example.org', 'e7f0'));
SELECT DISTINCT JSON_VALUE(`user`, '$.email') AS `email` FROM `acme-dwh`.`crm`.`security_test_recipients` WHERE JSON_VALUE(`user`, '$.email') IS NOT NULL AND (CAST(`user_id` AS STRING) IN ('47', 'd2a1') OR JSON_VALUE(`user`, '$.id') IN ('47', 'd2a1'));
SELECT COUNT(*) AS `n` FROM `acme-dwh`.`crm`.`security_test_recipients` WHERE CAST(`user_id` AS STRING) IN ('47', 'd2a1') OR JSON_VALUE(`user`, '$.id') IN ('47', 'd2a1') OR (CAST(`user_id` AS STRING) IS NULL AND JSON_VALUE(`user`, '$.id') IS NULL AND (LOWER(TRIM(JSON_VALUE(`user`, '$.email'))) IN ('o\'ada@example.org', 'e7f0')));
DELETE FROM `acme-dwh`.`crm`.`security_test_recipients` WHERE CAST(`user_id` AS STRING) IN ('47', 'd2a1') OR JSON_VALUE(`user`, '$.id') IN ('47', 'd2a1') OR (CAST(`user_id` AS STRING) IS NULL AND JSON_VALUE(`user`, '$.id') IS NULL AND (LOWER(TRIM(JSON_VALUE(`user`, '$.email'))) IN ('o\'ada@example.org', 'e7f0')));

-- account

SELECT COUNT(*) AS `n` FROM `acme-dwh`.`crm`.`account` WHERE STRPOS(TO_JSON_STRING(`admins`), '"id":47,') > 0 OR STRPOS(TO_JSON_STRING(`admins`), '"id":47}') > 0 OR STRPOS(TO_JSON_STRING(`admins`), '"id":"d2a1"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`admins`)), '"email":"o\'ada@example.org"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`admins`)), '"email":"e7f0"') > 0;
UPDATE `acme-dwh`.`crm`.`account` SET `admins` = NULL WHERE STRPOS(TO_JSON_STRING(`admins`), '"id":47,') > 0 OR STRPOS(TO_JSON_STRING(`admins`), '"id":47}') > 0 OR STRPOS(TO_JSON_STRING(`admins`), '"id":"d2a1"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`admins`)), '"email":"o\'ada@example.org"') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`admins`)), '"email":"e7f0"') > 0;

-- user_risk_score_history

SELECT COUNT(*) AS `n` FROM `acme-dwh`.`crm`.`user_risk_score_history` WHERE CAST(`user_id` AS STRING) IN ('47', 'd2a1');
DELETE FROM `acme-dwh`.`crm`.`user_risk_score_history` WHERE CAST(`user_id` AS STRING) IN ('47', 'd2a1');

-- _kb4_rejects

SELECT COUNT(*) AS `n` FROM `acme-dwh`.`crm`.`_kb4_rejects` WHERE (`stream` IN ('users', 'group_members') AND JSON_VALUE(`raw`, '$.id') IN ('47', 'd2a1')) OR (`stream` IN ('group_members', 'enrollments', 'security_test_recipients', 'user_risk_score_history') AND JSON_VALUE(`raw`, '$.user_id') IN ('47', 'd2a1')) OR (`stream` IN ('enrollments', 'security_test_recipients') AND JSON_VALUE(`raw`, '$.user.id') IN ('47', 'd2a1')) OR STRPOS(LOWER(TO_JSON_STRING(`raw`)), 'o\'ada@example.org') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`raw`)), 'e7f0') > 0;
DELETE FROM `acme-dwh`.`crm`.`_kb4_rejects` WHERE (`stream` IN ('users', 'group_members') AND JSON_VALUE(`raw`, '$.id') IN ('47', 'd2a1')) OR (`stream` IN ('group_members', 'enrollments', 'security_test_recipients', 'user_risk_score_history') AND JSON_VALUE(`raw`, '$.user_id') IN ('47', 'd2a1')) OR (`stream` IN ('enrollments', 'security_test_recipients') AND JSON_VALUE(`raw`, '$.user.id') IN ('47', 'd2a1')) OR STRPOS(LOWER(TO_JSON_STRING(`raw`)), 'o\'ada@example.org') > 0 OR STRPOS(LOWER(TO_JSON_STRING(`raw`)), 'e7f0') > 0;

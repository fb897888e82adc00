-- users

SELECT DISTINCT CAST("id" AS VARCHAR) AS "id" FROM kb4."knowbe4"."users" WHERE CAST("id" AS VARCHAR) IS NOT NULL AND (LOWER(TRIM(CAST("email" AS VARCHAR))) IN ('o''ada@example.org', 'e7f0') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"o''ada@example.org"') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"e7f0"'));
SELECT DISTINCT CAST("email" AS VARCHAR) AS "email" FROM kb4."knowbe4"."users" WHERE CAST("email" AS VARCHAR) IS NOT NULL AND (CAST("id" AS VARCHAR) IN ('47', 'd2a1'));
SELECT COUNT(*) AS "n" FROM kb4."knowbe4"."users" WHERE CAST("id" AS VARCHAR) IN ('47', 'd2a1') OR (CAST("id" AS VARCHAR) IS NULL AND (LOWER(TRIM(CAST("email" AS VARCHAR))) IN ('o''ada@example.org', 'e7f0') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"o''ada@example.org"') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"e7f0"')));
SELECT COUNT(*) AS "n" FROM kb4."knowbe4"."users" WHERE (LOWER(TRIM(CAST("manager_email" AS VARCHAR))) IN ('o''ada@example.org', 'e7f0')) AND NOT COALESCE(CAST("id" AS VARCHAR) IN ('47', 'd2a1') OR (CAST("id" AS VARCHAR) IS NULL AND (LOWER(TRIM(CAST("email" AS VARCHAR))) IN ('o''ada@example.org', 'e7f0') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"o''ada@example.org"') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"e7f0"'))), FALSE);
UPDATE kb4."knowbe4"."users" SET "manager_name" = NULL, "manager_email" = NULL WHERE (LOWER(TRIM(CAST("manager_email" AS VARCHAR))) IN ('o''ada@example.org', 'e7f0')) AND NOT COALESCE(CAST("id" AS VARCHAR) IN ('47', 'd2a1') OR (CAST("id" AS VARCHAR) IS NULL AND (LOWER(TRIM(CAST("email" AS VARCHAR))) IN ('o''ada@example.org', 'e7f0') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"o''ada@example.org"') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"e7f0"'))), FALSE);
DELETE FROM kb4."knowbe4"."users" WHERE CAST("id" AS VARCHAR) IN ('47', 'd2a1') OR (CAST("id" AS VARCHAR) IS NULL AND (LOWER(TRIM(CAST("email" AS VARCHAR))) IN ('o''ada@example.org', 'e7f0') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"o''ada@example.org"') OR contains(LOWER(CAST("aliases" AS VARCHAR)), '"e7f0"')));

-- group_members

SELECT COUNT(*) AS "n" FROM kb4."knowbe4"."group_members" WHERE CAST("user_id" AS VARCHAR) IN ('47', 'd2a1');
DELETE FROM kb4."knowbe4"."group_members" WHERE CAST("user_id" AS VARCHAR) IN ('47', 'd2a1');

-- enrollments

SELECT DISTINCT CAST("user_id" AS VARCHAR) AS "id" FROM kb4."knowbe4"."enrollments" WHERE CAST("user_id" AS VARCHAR) IS NOT NULL AND (LOWER(TRIM(("user" ->> '$."email"'))) IN ('o''ada@example.org', 'e7f0'));
SELECT DISTINCT ("user" ->> '$."email"') AS "email" FROM kb4."knowbe4"."enrollments" WHERE ("user" ->> '$."email"') IS NOT NULL AND (CAST("user_id" AS VARCHAR) IN ('47', 'd2a1') OR ("user" ->> '$."id"') IN ('47', 'd2a1'));
SELECT COUNT(*) AS "n" FROM kb4."knowbe4"."enrollments" WHERE CAST("user_id" AS VARCHAR) IN ('47', 'd2a1') OR ("user" ->> '$."id"') IN ('47', 'd2a1') OR (CAST("user_id" AS VARCHAR) IS NULL AND ("user" ->> '$."id"') IS NULL AND (LOWER(TRIM(("user" ->> '$."email"'))) IN ('o''ada@example.org', 'e7f0')));
DELETE FROM kb4."knowbe4"."enrollments" WHERE CAST("user_id" AS VARCHAR) IN ('47', 'd2a1') OR ("user" ->> '$."id"') IN ('47', 'd2a1') OR (CAST("user_id" AS VARCHAR) IS NULL AND ("user" ->> '$."id"') IS NULL AND (LOWER(TRIM(("user" ->> '$."email"'))) IN ('o''ada@example.org', 'e7f0')));

-- security_test_recipients

SELECT DISTINCT CAST("user_id" AS VARCHAR) AS "id" FROM kb4."knowbe4"."security_test_recipients" WHERE CAST("user_id" AS VARCHAR) IS NOT NULL AND (LOWER(TRIM(("user" ->> '$."email"'))) IN ('o''ada@example.org', 'e7f0'));
SELECT DISTINCT ("user" ->> '$."email"') AS "email" FROM kb4."knowbe4"."security_test_recipients" WHERE ("user" ->> '$."email"') IS NOT NULL AND (CAST("user_id" AS VARCHAR) IN ('47', 'd2a1') OR ("user" ->> '$."id"') IN ('47', 'd2a1'));
SELECT COUNT(*) AS "n" FROM kb4."knowbe4"."security_test_recipients" WHERE CAST("user_id" AS VARCHAR) IN ('47', 'd2a1') OR ("user" ->> '$."id"') IN ('47', 'd2a1') OR (CAST("user_id" AS VARCHAR) IS NULL AND ("user" ->> '$."id"') IS NULL AND (LOWER(TRIM(("user" ->> '$."email"'))) IN ('o''ada@example.org', 'e7f0')));
DELETE FROM kb4."knowbe4"."security_test_recipients" WHERE CAST("user_id" AS VARCHAR) IN ('47', 'd2a1') OR ("user" ->> '$."id"') IN ('47', 'd2a1') OR (CAST("user_id" AS VARCHAR) IS NULL AND ("user" ->> '$."id"') IS NULL AND (LOWER(TRIM(("user" ->> '$."email"'))) IN ('o''ada@example.org', 'e7f0')));

-- account

SELECT COUNT(*) AS "n" FROM kb4."knowbe4"."account" WHERE contains(CAST("admins" AS VARCHAR), '"id":47,') OR contains(CAST("admins" AS VARCHAR), '"id":47}') OR contains(CAST("admins" AS VARCHAR), '"id":"d2a1"') OR contains(LOWER(CAST("admins" AS VARCHAR)), '"email":"o''ada@example.org"') OR contains(LOWER(CAST("admins" AS VARCHAR)), '"email":"e7f0"');
UPDATE kb4."knowbe4"."account" SET "admins" = NULL WHERE contains(CAST("admins" AS VARCHAR), '"id":47,') OR contains(CAST("admins" AS VARCHAR), '"id":47}') OR contains(CAST("admins" AS VARCHAR), '"id":"d2a1"') OR contains(LOWER(CAST("admins" AS VARCHAR)), '"email":"o''ada@example.org"') OR contains(LOWER(CAST("admins" AS VARCHAR)), '"email":"e7f0"');

-- user_risk_score_history

SELECT COUNT(*) AS "n" FROM kb4."knowbe4"."user_risk_score_history" WHERE CAST("user_id" AS VARCHAR) IN ('47', 'd2a1');
DELETE FROM kb4."knowbe4"."user_risk_score_history" WHERE CAST("user_id" AS VARCHAR) IN ('47', 'd2a1');

-- _kb4_rejects

SELECT COUNT(*) AS "n" FROM kb4."knowbe4"."_kb4_rejects" WHERE ("stream" IN ('users', 'group_members') AND ("raw" ->> '$."id"') IN ('47', 'd2a1')) OR ("stream" IN ('group_members', 'enrollments', 'security_test_recipients', 'user_risk_score_history') AND ("raw" ->> '$."user_id"') IN ('47', 'd2a1')) OR ("stream" IN ('enrollments', 'security_test_recipients') AND ("raw" ->> '$."user"."id"') IN ('47', 'd2a1')) OR contains(LOWER(CAST("raw" AS VARCHAR)), 'o''ada@example.org') OR contains(LOWER(CAST("raw" AS VARCHAR)), 'e7f0');
DELETE FROM kb4."knowbe4"."_kb4_rejects" WHERE ("stream" IN ('users', 'group_members') AND ("raw" ->> '$."id"') IN ('47', 'd2a1')) OR ("stream" IN ('group_members', 'enrollments', 'security_test_recipients', 'user_risk_score_history') AND ("raw" ->> '$."user_id"') IN ('47', 'd2a1')) OR ("stream" IN ('enrollments', 'security_test_recipients') AND ("raw" ->> '$."user"."id"') IN ('47', 'd2a1')) OR contains(LOWER(CAST("raw" AS VARCHAR)), 'o''ada@example.org') OR contains(LOWER(CAST("raw" AS VARCHAR)), 'e7f0');

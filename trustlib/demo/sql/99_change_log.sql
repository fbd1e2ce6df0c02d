-- What was changed and when: the causes of both incidents among much that did no harm.
CREATE TEMP MACRO change_link(id) AS
    CASE WHEN chance('change.link', id, 600000)
         THEN 'https://changes.example/' || (1000 + id * 7 + below('change.number', id, 7)) END;

CREATE TABLE truth.incident_causes AS
SELECT
    incident_id,
    at_hour(first_hour, CASE kind WHEN 'over_blocking' THEN -2400 ELSE -16200 END) AS changed_at,
    CASE kind WHEN 'over_blocking' THEN 'Rule 17: one link is enough, in two markets'
        ELSE 'Release 105 of the rules engine: half of the rules wait in two markets' END AS change,
    'https://changes.example/' || CASE kind WHEN 'over_blocking' THEN 2017 ELSE 2105 END AS link
FROM truth.incidents;

CREATE TABLE change_log AS
WITH ordinary AS (
    SELECT
        id,
        at_hour((id * 98 // 36) * 24 + 8 + below('change.hour', id, 10),
                below('change.minute', id, 60) * 60) AS changed_at,
        [
            'Release ' || (40 + 2 * id) || ' of the rules engine',
            'Release ' || (120 + id) || ' of the review queue',
            'Rule ' || (18 + below('change.rule', id, 40)) || ': threshold raised',
            'Rule ' || (18 + below('change.rule', id, 40)) || ': threshold lowered',
            'Rule ' || (18 + below('change.rule', id, 40)) || ': switched on in one more market',
            'Label guideline: examples added',
            'List of known domains renewed',
            'Appeal form: wording',
            'Limit on posts of new accounts moved',
            'Report form: order of the reasons',
            'Release ' || (310 + 3 * id) || ' of the app'
        ][1 + below('change.kind', id, 11)] AS change
    FROM range(36) AS t(id)
)
SELECT changed_at, change, change_link(id) AS link FROM ordinary
UNION ALL
SELECT changed_at, change, link FROM truth.incident_causes
ORDER BY changed_at, change;

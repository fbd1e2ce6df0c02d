-- The wave's own views and reports, over its window in proportion to ordinary activity.
CREATE TEMP TABLE wave_slots AS
WITH weighed AS (
    SELECT cells.hour, wave.*, cells.reports * 20000 // sum(cells.reports) OVER () + 1 AS width
    FROM wave JOIN cells ON cells.m = wave.m
        AND cells.hour >= wave.first_hour AND cells.hour < wave.last_hour
)
SELECT *, (row_number() OVER (ORDER BY hour, m, k) - 1)::BIGINT AS slot
FROM (SELECT * EXCLUDE (width), unnest(range(width::BIGINT)) AS k FROM weighed);

-- An item of the wave that was made before the second in question.
CREATE TEMP MACRO wave_item(stream, id, hour, second, first_hour, last_hour, n, m) AS
    (below(stream, id, greatest(
        ((hour - first_hour) * 3600 + second) * n // ((last_hour - first_hour) * 3600), 1)
    ) * 6 + m) * 8 + 7;

CREATE TABLE truth.wave_reports AS
SELECT
    'under-blocking' AS incident_id, d.number + getvariable('reports') + 1 AS report_id,
    wave_item('wave.report.item', d.number, s.hour, d.second, s.first_hour, s.last_hour, s.n, s.m)
        AS item_id,
    (1 + below('wave.reporter', d.number, accounts_at(s.m, s.hour))) * 8 + s.m
        AS reporter_id,
    market_name(s.m) AS market, at_hour(s.hour, d.second) AS reported_at
FROM (
    SELECT i AS number, below('wave.report.second', i, 3600) AS second,
           below('wave.report.slot', i, (SELECT greatest(count(*), 1) FROM wave_slots)) AS slot
    FROM range(getvariable('wave_reports') * (80 + below('wave.size', 1, 41)) // 100) AS t(i)
) AS d JOIN wave_slots AS s USING (slot)
ORDER BY report_id;

CREATE TABLE truth.wave_views AS
SELECT
    'under-blocking' AS incident_id, d.number + getvariable('views') + 1 AS view_id,
    wave_item('wave.view.item', d.number, s.hour, d.second, s.first_hour, s.last_hour, s.n, s.m)
        AS item_id,
    (1 + near_zero('wave.viewer', d.number, accounts_at(s.m, s.hour))) * 8 + s.m
        AS viewer_id,
    market_name(s.m) AS market, at_hour(s.hour, d.second) AS viewed_at
FROM (
    SELECT i AS number, below('wave.view.second', i, 3600) AS second,
           below('wave.view.slot', i, (SELECT greatest(count(*), 1) FROM wave_slots)) AS slot
    FROM range(getvariable('wave_views')) AS t(i)
) AS d JOIN wave_slots AS s USING (slot)
ORDER BY view_id;

INSERT INTO reports
SELECT report_id, item_id, reporter_id,
       CASE WHEN chance('wave.reason', report_id, 700000) THEN 'spam' ELSE 'scam' END, reported_at
FROM truth.wave_reports ORDER BY report_id;

INSERT INTO views
SELECT view_id, viewed_at, item_id, viewer_id, market, 'feed'
FROM truth.wave_views ORDER BY view_id;

CREATE TABLE incident_log AS
SELECT
    incident_id, kind,
    CASE kind WHEN 'over_blocking'
        THEN 'Rule 17 took every new post with a link for a scam in two markets'
        ELSE 'A spam wave got past the rules in two markets' END AS summary,
    started_at, started_at + INTERVAL 5 HOUR AS declared_at, ended_at AS mitigated_at,
    ended_at + INTERVAL 2 DAY AS closed_at
FROM truth.incidents ORDER BY incident_id;

CREATE TABLE truth.planted AS
SELECT incident_id, 'rule_actions' AS series, market, count(*) AS rows_added
FROM truth.wrongly_actioned GROUP BY ALL
UNION ALL
SELECT incident_id, 'rule_actions', market, -count(*) FROM truth.not_actioned GROUP BY ALL
UNION ALL
SELECT incident_id, 'user_reports', market, count(*) FROM truth.wave_reports GROUP BY ALL
ORDER BY ALL;

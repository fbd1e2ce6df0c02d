-- The two planted incidents, and what they add and take away.

CREATE TABLE truth.incidents AS
SELECT
    incident_id, kind, series,
    at_hour(first_hour, 0) AS started_at, at_hour(last_hour, 0) AS ended_at,
    first_hour, last_hour
FROM (VALUES
    ('over-blocking', 'over_blocking', 'rule_actions', 1718, 1744),
    ('under-blocking', 'under_blocking', 'user_reports', 2154, 2184)
) AS t(incident_id, kind, series, first_hour, last_hour)
WHERE getvariable('incidents');

CREATE TEMP TABLE hit AS
SELECT m, first_hour, last_hour, started_at, ended_at, kind = 'over_blocking' AS over
FROM truth.incidents, markets
WHERE m IN (1, 4) AND kind = 'over_blocking' OR m IN (0, 2) AND kind = 'under_blocking';

-- Over-blocking: a changed rule takes every new item with a link for a scam, in two markets.
CREATE TABLE truth.wrongly_actioned AS
WITH linked AS (
    SELECT item_id, item_id % 8 AS m, created_at + to_seconds(rule_delay(item_id)) AS acted_at
    FROM items
    WHERE url_domain IS NOT NULL AND NOT chance('item.false_positive', item_id, 2000)
)
SELECT 'over-blocking' AS incident_id, item_id, market_name(m) AS market, acted_at
FROM linked JOIN hit USING (m)
WHERE hit.over AND acted_at >= started_at AND acted_at < ended_at
  AND item_id NOT IN (SELECT item_id FROM truth.violating_items)
ORDER BY item_id;

-- Under-blocking: the rules are half blind in two markets, ...
CREATE TABLE truth.not_actioned AS
WITH caught AS (
    SELECT item_id, item_id % 8 AS m, created_at + to_seconds(rule_delay(item_id)) AS acted_at
    FROM truth.violating_items
    WHERE NOT missed AND chance('item.unseen', item_id, 600000)
)
SELECT 'under-blocking' AS incident_id, item_id, market_name(m) AS market,
       acted_at AS would_have_acted_at
FROM caught JOIN hit USING (m)
WHERE NOT hit.over AND acted_at >= started_at AND acted_at < ended_at
ORDER BY item_id;

-- ... and a wave of spam uses it: items of its own, evenly from the first second on.
-- item_id = (market + 6 * number) * 8 + 7.
CREATE TEMP TABLE wave AS
SELECT
    m, first_hour, last_hour, getvariable('wave_items') * share(m) // 480 AS n
FROM hit
WHERE NOT over;

CREATE TABLE truth.wave_items AS
WITH made AS (SELECT *, unnest(range(n)) AS number FROM wave)
SELECT
    'under-blocking' AS incident_id, (number * 6 + m) * 8 + 7 AS item_id,
    market_name(m) AS market,
    at_hour(first_hour, number * (last_hour - first_hour) * 3600 // n) AS created_at
FROM made
ORDER BY item_id;

INSERT INTO items
WITH made AS (
    SELECT *, (number * 6 + m) * 8 + 7 AS item_id,
           accounts_at(m, first_hour) AS existing
    FROM (SELECT *, unnest(range(n)) AS number FROM wave)
)
SELECT
    item_id,
    (existing - near_zero('wave.author', item_id, existing // 20 + 1)) * 8 + m,
    at_hour(first_hour, number * (last_hour - first_hour) * 3600 // n),
    'post',
    'prize-' || below('wave.domain', item_id, 5) || '.example',
    'txt_' || hex8('wave.text', below('wave.copy', item_id, 8))
FROM made
ORDER BY item_id;

-- The two planted incidents, and what they add and take away.

CREATE TABLE truth.incidents AS
SELECT
    incident_id, kind, series, direction,
    at_hour(first_hour, 0) AS started_at, at_hour(last_hour, 0) AS ended_at,
    first_hour, last_hour, markets
FROM (VALUES
    ('over-blocking', 'over_blocking', 'rule_actions', 'increase', 1718, 1744, ['birch', 'elm']),
    ('under-blocking', 'under_blocking', 'user_reports', 'increase', 2154, 2184,
     ['alder', 'cedar'])
) AS t(incident_id, kind, series, direction, first_hour, last_hour, markets)
WHERE getvariable('incidents');

-- Over-blocking: a changed rule takes every new item with a link for a scam, in two markets.
CREATE TABLE truth.wrongly_actioned AS
SELECT
    i.incident_id, items.item_id, a.market,
    items.created_at + to_seconds(rule_delay(items.item_id)) AS acted_at
FROM truth.incidents AS i
JOIN items ON items.created_at >= i.started_at - INTERVAL 5 MINUTE
          AND items.created_at < i.ended_at
JOIN accounts AS a USING (account_id)
WHERE i.kind = 'over_blocking'
  AND list_contains(i.markets, a.market)
  AND items.url_domain IS NOT NULL
  AND items.created_at + to_seconds(rule_delay(items.item_id)) >= i.started_at
  AND items.created_at + to_seconds(rule_delay(items.item_id)) < i.ended_at
  AND items.item_id NOT IN (SELECT item_id FROM truth.violating_items)
  AND NOT chance('item.false_positive', items.item_id, 2000)
ORDER BY items.item_id;

-- Under-blocking: the rules are half blind in two markets, ...
CREATE TABLE truth.not_actioned AS
SELECT
    i.incident_id, v.item_id, v.market,
    v.created_at + to_seconds(rule_delay(v.item_id)) AS would_have_acted_at
FROM truth.incidents AS i
JOIN truth.violating_items AS v ON list_contains(i.markets, v.market)
WHERE i.kind = 'under_blocking'
  AND NOT v.missed
  AND v.created_at + to_seconds(rule_delay(v.item_id)) >= i.started_at
  AND v.created_at + to_seconds(rule_delay(v.item_id)) < i.ended_at
  AND chance('item.unseen', v.item_id, 600000)
ORDER BY v.item_id;

-- ... and a wave of spam uses it: items of its own, evenly from the first second on.
-- item_id = (market + 6 * number) * 8 + 7.
CREATE TEMP TABLE wave AS
SELECT
    i.incident_id, m.m, m.market, a.n AS accounts, i.first_hour, i.last_hour,
    getvariable('wave_items') * m.share // 480 AS n
FROM truth.incidents AS i
JOIN markets AS m ON list_contains(i.markets, m.market)
JOIN market_accounts AS a USING (m)
WHERE i.kind = 'under_blocking';

CREATE TABLE truth.wave_items AS
WITH made AS (SELECT *, unnest(range(n)) AS number FROM wave)
SELECT
    incident_id, (number * 6 + m) * 8 + 7 AS item_id, market,
    at_hour(first_hour, number * (last_hour - first_hour) * 3600 // n) AS created_at
FROM made
ORDER BY item_id;

INSERT INTO items
WITH made AS (
    SELECT *, (number * 6 + m) * 8 + 7 AS item_id,
           accounts_at(accounts, first_hour) AS existing
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

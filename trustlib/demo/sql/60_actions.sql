-- Actions: action_id = item_id * 4 + 0 (rule) or + 1 (review).
CREATE TEMP TABLE rule_hits AS
SELECT item_id, created_at + to_seconds(rule_delay(item_id)) AS acted_at
FROM truth.violating_items WHERE NOT missed;

-- The other actions limit an item's reach.
CREATE TEMP MACRO removes(item_id) AS chance('action.kind', item_id, 970000);

CREATE TABLE actions AS
WITH world_end AS (SELECT at_hour(getvariable('hours'), 0) AS at),
found AS (
    SELECT item_id, acted_at, 0 AS code FROM rule_hits
    WHERE item_id NOT IN (SELECT item_id FROM truth.not_actioned)
    UNION ALL  -- the rules' ordinary mistakes
    SELECT item_id, created_at + to_seconds(rule_delay(item_id)), 0 FROM items
    WHERE chance('item.false_positive', item_id, 2000) AND item_id % 8 < 6
      AND item_id NOT IN (SELECT item_id FROM truth.violating_items)
    UNION ALL
    SELECT item_id, acted_at, 0 FROM truth.wrongly_actioned
    UNION ALL  -- people find six in ten of what the rules missed, hours or days later
    SELECT item_id, created_at + to_seconds(21600 + below('item.review_delay', item_id, 237600)), 1
    FROM truth.violating_items WHERE missed AND chance('item.reviewed', item_id, 600000)
    UNION ALL  -- the clean-up after the under-blocking
    SELECT item_id, ended_at + to_seconds(below('item.cleanup', item_id, 43200)), 1
    FROM (
        SELECT item_id FROM truth.not_actioned UNION ALL SELECT item_id FROM truth.wave_items
    ) JOIN truth.incidents ON kind = 'under_blocking'
)
SELECT
    found.item_id * 4 + code AS action_id, found.item_id, items.account_id,
    CASE WHEN removes(found.item_id) THEN 'remove' ELSE 'limit' END AS action,
    CASE code WHEN 0 THEN 'rule' ELSE 'review' END AS source, acted_at
FROM found JOIN items USING (item_id), world_end
WHERE acted_at < world_end.at
ORDER BY acted_at, action_id;

-- What could be seen and reported: removed items are gone. Here the rules' hits count even
-- where the under-blocking spared them, so that ordinary reports are the same with and
-- without it; what it added to the reports is planted apart.
CREATE TEMP TABLE gone AS
SELECT item_id, min(acted_at) AS acted_at
FROM (
    SELECT item_id, acted_at FROM actions WHERE action = 'remove'
    UNION ALL SELECT item_id, acted_at FROM rule_hits
    WHERE item_id IN (SELECT item_id FROM truth.not_actioned) AND removes(item_id)
)
GROUP BY item_id;

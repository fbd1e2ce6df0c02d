-- Scores of everybody else's items, and the hits that are mistakes.
CREATE OR REPLACE TEMP TABLE scored AS
WITH spam AS (
    SELECT item_id FROM truth.violating_items
    WHERE created_at >= at_hour(getvariable('from_hour'), 0)
      AND created_at < at_hour(getvariable('to_hour'), 0)
)
SELECT
    items.item_id, items.account_id, items.created_at,
    squashed(latent(items.item_id)
        + CASE WHEN spam.item_id IS NOT NULL OR items.item_id % 8 = 7 THEN 900 ELSE 0 END) AS score
FROM items LEFT JOIN spam USING (item_id)
WHERE items.created_at >= at_hour(getvariable('from_hour'), 0)
  AND items.created_at < at_hour(getvariable('to_hour'), 0);

INSERT INTO scores
SELECT item_id, model_version(date_diff('hour', getvariable('world_start'), created_at)),
       score / 10000, created_at + to_seconds(scoring_delay(item_id))
FROM scored
WHERE created_at + to_seconds(scoring_delay(item_id)) < at_hour(getvariable('hours'), 0)
ORDER BY created_at, item_id;

INSERT INTO false_hits
SELECT item_id, account_id, created_at + to_seconds(model_delay(item_id)), 3
FROM scored WHERE model_acts(item_id, score)
UNION ALL
SELECT item_id, account_id, created_at + to_seconds(scam_rule_delay(item_id)), 2
FROM scored WHERE chance('scam_rule.false', item_id, 200);

-- One row per item, with the stratum that labels are drawn by: the item's score, cut where the
-- sample's design cuts it and named as labels name it. An item without a score is in none.
SELECT
    items.item_id,
    items.account_id,
    items.created_at,
    items.kind,
    items.url_domain,
    items.text_hash,
    CASE
        WHEN scores.score < 0.25 THEN 'score-00-25'
        WHEN scores.score < 0.35 THEN 'score-25-35'
        WHEN scores.score < 0.45 THEN 'score-35-45'
        WHEN scores.score < 0.65 THEN 'score-45-65'
        WHEN scores.score >= 0.65 THEN 'score-65-100'
    END AS stratum
FROM items
LEFT JOIN scores ON scores.item_id = items.item_id

INSERT INTO items
WITH made AS (
    SELECT c.hour, c.m, c.violating_ppm,
           (c.before + unnest(range(c.n)) + 1) * 8 + c.m AS item_id
    FROM item_cells AS c
    WHERE c.hour >= getvariable('from_hour') AND c.hour < getvariable('to_hour')
),
judged AS (
    SELECT *, violates(item_id, violating_ppm) AS bad, accounts_at(m, hour) AS existing
    FROM made
)
SELECT
    item_id,
    -- Few accounts write most; what violates comes more from young accounts.
    (CASE WHEN bad THEN existing - near_zero('item.author', item_id, existing)
          ELSE 1 + near_zero('item.author', item_id, existing) END) * 8 + m AS account_id,
    at_hour(hour, created_second(item_id)) AS created_at,
    ['post', 'comment', 'comment', 'photo', 'video'][1 + below('item.kind', item_id, 5)] AS kind,
    CASE WHEN bad AND chance('item.bad_link', item_id, 600000)
         THEN 'offer-' || below('item.bad_domain', item_id, 40) || '.example'
         WHEN has_link(item_id)
         THEN 'site-' || near_zero('item.domain', item_id, 4000) || '.example' END AS url_domain,
    'txt_' || CASE WHEN bad AND chance('item.copy', item_id, 500000)
         THEN hex8('campaign', below('item.campaign', item_id, 60))
         ELSE hex8('text', item_id) END AS text_hash
FROM judged
ORDER BY hour, item_id;

INSERT INTO truth.violating_items
WITH made AS (
    SELECT c.hour, c.m, c.violating_ppm,
           (c.before + unnest(range(c.n)) + 1) * 8 + c.m AS item_id
    FROM item_cells AS c
    WHERE c.hour >= getvariable('from_hour') AND c.hour < getvariable('to_hour')
)
SELECT item_id, market_name(m), at_hour(hour, created_second(item_id)),
       chance('item.missed', item_id, missed_ppm(m))
FROM made
WHERE violates(item_id, violating_ppm)
ORDER BY item_id;

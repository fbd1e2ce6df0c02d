-- A view is of an item of the same market that was made before the hour, mostly a recent one.
INSERT INTO views
WITH made AS (
    SELECT *, earlier + unnest(range(n)) + 1 AS view_id
    FROM exposure
    WHERE series = 'views'
      AND hour >= getvariable('from_hour') AND hour < getvariable('to_hour')
),
seen AS (
    SELECT
        view_id, at_hour(hour, below('view.second', view_id, 3600)) AS viewed_at,
        (before - near_zero('view.item', view_id, last_ten_days)) * 8 + m AS item_id,
        (1 + near_zero('view.viewer', view_id, accounts_at(m, hour))) * 8 + m AS viewer_id
    FROM made
)
SELECT
    seen.view_id, seen.viewed_at, seen.item_id, seen.viewer_id,
    market_name(seen.item_id % 8) AS market,
    ['feed', 'feed', 'feed', 'search', 'profile', 'message'][
        1 + below('view.surface', seen.view_id, 6)] AS surface
FROM seen LEFT JOIN gone USING (item_id)
WHERE gone.acted_at IS NULL OR seen.viewed_at < gone.acted_at
ORDER BY seen.view_id;

-- Views of what those accounts posted, by the rule for everything else: in proportion to what is
-- new in the market, and somewhat more, since scams are made to be seen.
CREATE TEMP MACRO scam_reach_permille(m) AS [2200, 2200, 2000, 2000, 2000, 2000][m + 1];

CREATE TEMP TABLE posted_numbers AS
SELECT p.item_id, p.m, p.hour, p.gone_second, h.limited_second,
       row_number() OVER (PARTITION BY p.m ORDER BY p.item_id) AS number
FROM posted_items AS p
LEFT JOIN (SELECT item_id, min(acted_second) AS limited_second FROM scam_hits GROUP BY item_id) AS h
    USING (item_id);

CREATE TEMP TABLE abuse_exposure AS
WITH running AS (
    SELECT
        c.hour, c.m,
        coalesce(sum(found.n) OVER (PARTITION BY c.m ORDER BY c.hour
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::BIGINT AS before,
        coalesce(sum(found.n) OVER (PARTITION BY c.m ORDER BY c.hour
            ROWS BETWEEN 240 PRECEDING AND 1 PRECEDING), 0)::BIGINT AS last_ten_days
    FROM item_cells AS c
    LEFT JOIN (SELECT hour, m, count(*) AS n FROM posted_numbers GROUP BY ALL) AS found
        ON found.hour = c.hour AND found.m = c.m
),
drawn AS (
    SELECT
        r.*,
        (e.n * r.last_ten_days * scam_reach_permille(r.m) * 1000 // e.last_ten_days
            + below('scam.views', r.hour * 8 + r.m, 1000000)) // 1000000 AS n
    FROM running AS r
    JOIN exposure AS e ON e.series = 'views' AND e.hour = r.hour AND e.m = r.m
    WHERE r.last_ten_days > 0
)
SELECT *, (sum(n) OVER (ORDER BY hour, m) - n)::BIGINT AS earlier FROM drawn;

INSERT INTO views
WITH made AS (
    SELECT *, 2 * getvariable('views') + earlier + unnest(range(n)) + 1 AS view_id
    FROM abuse_exposure
),
seen AS (
    SELECT
        view_id, m, hour * 3600 + below('view.second', view_id, 3600) AS second,
        before - near_zero('view.item', view_id, last_ten_days) AS number,
        (1 + near_zero('view.viewer', view_id, accounts_at(m, hour))) * 8 + m AS viewer_id
    FROM made
)
SELECT
    seen.view_id, at_hour(0, seen.second), p.item_id, seen.viewer_id,
    market_name(seen.m),
    ['feed', 'feed', 'feed', 'search', 'profile', 'message'][
        1 + below('view.surface', seen.view_id, 6)]
FROM seen JOIN posted_numbers AS p USING (m, number)
WHERE (p.gone_second IS NULL OR seen.second < p.gone_second)
  -- A limited item loses six views in ten.
  AND NOT (coalesce(seen.second >= p.limited_second, false)
           AND chance('scam.limited', seen.view_id, 600000))
ORDER BY seen.view_id;

-- What happened to the scams: rules and the model limit reach, users report, review removes and
-- disables. A disabled account posts nothing more, what it posted is gone, and some of the
-- accounts vanish from `accounts`.
--
-- A rule knows a ring's domain some days after its first use, and a few texts at once.
CREATE TEMP TABLE scam_hits AS
WITH listed AS (
    SELECT
        *,
        CASE WHEN chance('domain.listed', ring * 4 + domain, 700000)
             THEN min(second) OVER (PARTITION BY ring, domain) + 43200
                  + below('domain.listing', ring * 4 + domain, 432000) END AS listed_second
    FROM abuse_items
)
SELECT item_id, second + scam_rule_delay(item_id) AS acted_second, 2 AS code
FROM listed
WHERE bad AND (coalesce(listed_second <= second, false)
               OR chance('scam_rule.text', item_id, 120000))
   OR chance('scam_rule.false', item_id, 200)
UNION ALL
SELECT i.item_id, i.second + model_delay(i.item_id), 3
FROM abuse_items AS i JOIN abuse_scores AS s USING (item_id)
WHERE model_acts(i.item_id, s.score);

-- A report of a scam takes the place of an ordinary one: the next in the same market about an item
-- without a link that does no harm, so that no hour has more reports than before and neither
-- incident touches them.
CREATE TEMP MACRO reported_ppm(m) AS [150000, 450000, 250000, 350000, 100000, 300000][m + 1];
CREATE TEMP TABLE scam_reports AS
WITH wanted AS (
    SELECT item_id, m, number,
           (second + 600 + near_zero('scam.report.second', item_id * 8 + number, 345600))
               * 100000000 AS place
    FROM (
        SELECT *, unnest(range(1 + near_zero('scam.reports', item_id, 6))) AS number
        FROM abuse_items
        WHERE chance('scam.reported', item_id, CASE WHEN bad THEN reported_ppm(m) ELSE 20000 END)
    )
),
ordinary AS (
    SELECT item_id % 8 AS m, report_id,
           date_diff('second', getvariable('world_start'), reported_at) * 100000000 + report_id
               AS place
    FROM reports
    WHERE report_id <= getvariable('reports') AND NOT has_link(item_id)
      AND item_id NOT IN (SELECT item_id FROM truth.violating_items)
)
SELECT wanted.item_id, wanted.m, ordinary.report_id,
       ordinary.place // 100000000 AS reported_second
FROM wanted ASOF JOIN ordinary ON wanted.m = ordinary.m AND wanted.place <= ordinary.place
QUALIFY row_number() OVER (PARTITION BY ordinary.report_id
                           ORDER BY wanted.item_id, wanted.number) = 1;

-- People look at some of what was reported or limited, hours or days later.
CREATE TEMP TABLE scam_reviews AS
WITH calls AS (
    SELECT item_id, min(reported_second) + 21600 + below('scam.review.report', item_id, 172800)
        AS second
    FROM scam_reports WHERE chance('scam.reviews.report', item_id, 550000) GROUP BY item_id
    UNION ALL
    SELECT item_id, min(acted_second) + 7200 + below('scam.review.hit', item_id, 259200)
    FROM scam_hits WHERE chance('scam.reviews.hit', item_id, 400000) GROUP BY item_id
),
seen AS (
    SELECT item_id, min(second) AS reviewed_second FROM calls GROUP BY item_id
)
SELECT seen.*, i.account_id, i.bad
           AND chance('scam.disables', item_id, CASE WHEN i.growing THEN 150000 ELSE 450000 END)
           AS disables
FROM seen JOIN abuse_items AS i USING (item_id)
WHERE chance('scam.removes', item_id, CASE WHEN i.bad THEN 920000 ELSE 150000 END)
  AND reviewed_second < getvariable('hours') * 3600;

CREATE TEMP TABLE disabled AS
SELECT account_id, min(reviewed_second) AS disabled_second,
       chance('account.vanishes', account_id, 600000) AS vanished
FROM scam_reviews WHERE disables GROUP BY account_id;

CREATE TEMP TABLE posted_items AS
SELECT i.*, coalesce(d.vanished, false) AS vanished, d.disabled_second, r.reviewed_second,
       least(r.reviewed_second, d.disabled_second) AS gone_second
FROM abuse_items AS i
LEFT JOIN disabled AS d USING (account_id)
LEFT JOIN scam_reviews AS r USING (item_id)
WHERE d.disabled_second IS NULL OR i.second <= d.disabled_second;

-- What those accounts post: scams, and something harmless for cover. Times are in seconds from
-- the world's start. item_id = number * 8 + 6, in order of time. A draft: what an account would
-- have posted after it was disabled drops out later.
CREATE TEMP TABLE abuse_drafts AS
WITH bursts AS (
    SELECT
        *, account_id * 64 + number AS entry,
        first_hour * 3600 + below('ring.burst', ring * 64 + number, 72000)
            + (last_hour - first_hour) * 3600 * CASE WHEN growing
                -- at shorter and shorter intervals
                THEN number * (2 * bursts - number) ELSE number * bursts END // (bursts * bursts)
            AS burst_second
    FROM (SELECT *, unnest(range(bursts)) AS number FROM abusers WHERE ring IS NOT NULL)
),
posted AS (
    SELECT account_id, ring, m, growing, number, true AS bad, number * domains // bursts AS domain,
           burst_second + below('burst.second', entry, 480) AS second
    FROM bursts WHERE chance('burst.joins', entry, 750000)
    UNION ALL
    SELECT account_id, NULL, m, growing, number, true, NULL,
           first_hour * 3600 + below('lone.second', account_id, 3600) + number * 86400
               + below('lone.gap', account_id * 64 + number, 172800)
    FROM (SELECT *, unnest(range(1 + near_zero('lone.items', account_id, 8))) AS number
          FROM abusers WHERE ring IS NULL)
    UNION ALL
    SELECT account_id, ring, m, false, number, false, NULL,
           greatest(signed_up, 0) + below('cover.second', account_id * 64 + number,
                greatest(last_hour * 3600 - greatest(signed_up, 0), 1))
    FROM (SELECT *, unnest(range(1 + below('cover.items', account_id, 3))) AS number FROM abusers)
)
SELECT
    *, second // 3600 AS hour,
    row_number() OVER (ORDER BY second, account_id, bad, number) * 8 + 6 AS item_id
FROM posted
WHERE second >= 0 AND second < getvariable('hours') * 3600;

-- A domain of a ring, and of someone alone: new ones, beside those that everyone links to.
CREATE TEMP MACRO new_domain(stream, id) AS 'site-' || (5000 + below(stream, id, 1000000)) || '.example';

CREATE TEMP MACRO ordinary_kind(item_id) AS
    ['post', 'comment', 'comment', 'photo', 'video'][1 + below('item.kind', item_id, 5)];

CREATE TEMP TABLE abuse_items AS
SELECT
    *,
    CASE WHEN bad AND growing THEN growing_kind()
         WHEN bad AND ring IS NOT NULL THEN CASE WHEN chance('burst.kind', item_id, 700000)
            THEN ['post', 'comment', 'photo', 'photo'][1 + below('ring.kind', ring, 4)]
            ELSE 'post' END
         ELSE ordinary_kind(item_id) END AS kind,
    CASE WHEN bad AND ring IS NOT NULL THEN new_domain('ring.domain', ring * 4 + domain)
         WHEN bad AND below('lone.link', account_id, 100) < 45
            THEN new_domain('lone.domain', account_id)
         WHEN bad AND below('lone.link', account_id, 100) < 80 OR NOT bad AND has_link(item_id)
            THEN 'site-' || near_zero('item.domain', item_id, 4000) || '.example' END AS url_domain,
    'txt_' || CASE WHEN bad AND ring IS NOT NULL
            THEN hex8('ring.text', (ring * 64 + number) * 4 + below('burst.text', item_id, 3))
         WHEN bad AND chance('lone.copy', item_id, 600000) THEN hex8('lone.text', account_id)
         ELSE hex8('text', item_id) END AS text_hash
FROM abuse_drafts;

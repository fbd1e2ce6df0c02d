-- Scams: who posts them. Rings of accounts that share devices, address blocks, cards and
-- domains and post together within minutes; and people on their own. Ring 0 of each six to ten
-- grows in one market and one kind of item in the last four weeks, and so do a few on their own.
-- account_id = number * 8 + 6.
CREATE TEMP MACRO growing_market() AS 3;
CREATE TEMP MACRO growing_kind() AS 'video';
CREATE TEMP MACRO growing_hour() AS 1680;
-- Scams of people on their own among new items, in ppm.
CREATE TEMP MACRO lone_ppm(m) AS [1000, 1800, 700, 2500, 2200, 1500][m + 1];

CREATE TEMP TABLE rings AS
WITH placed AS (
    SELECT ring, ring % per AS place
    FROM (SELECT per, unnest(range(per * getvariable('ring_scale')))::INTEGER AS ring
          FROM (SELECT 6 + below('ring.count', 1, 5) AS per))
),
settled AS (
    SELECT ring, place = 0 AS growing,
           CASE WHEN place = 0 THEN growing_market()
                ELSE [1, 4, 0, 2, 5, 1, 0, 4, 2][place] END AS m
    FROM placed
),
sized AS (
    SELECT
        *,
        -- Smaller in a small market.
        CASE WHEN growing THEN 36 + below('ring.size', ring, 25)
             ELSE 8 + below('ring.size', ring, least(share(m) // 3 + 1, 53)) END AS size,
        CASE WHEN growing THEN growing_hour() + below('ring.first', ring, 48)
             ELSE 240 + below('ring.first', ring, 1440) END AS first_hour,
        getvariable('burst_scale')
            * (CASE WHEN growing THEN 5 ELSE 2 + below('ring.bursts', ring, 4) END) AS bursts
    FROM settled
)
SELECT
    *,
    CASE WHEN growing THEN getvariable('hours')
         ELSE least(first_hour + 336 + below('ring.span', ring, 673), getvariable('hours'))
         END AS last_hour,
    1 + below('ring.domains', ring, 3) AS domains,
    -- Sign-ups begin two to twelve days before the first burst.
    48 + below('ring.signup', ring, 240) AS prepared
FROM sized;

CREATE TEMP TABLE abusers AS
WITH alone AS (
    SELECT m, growing, unnest(range(n)) AS place
    FROM (
        SELECT m, false AS growing,
               getvariable('items')::BIGINT * share(m) // 1000 * lone_ppm(m) // 2500000 AS n
        FROM markets
        UNION ALL
        SELECT growing_market(), true, 16 * getvariable('abuse_scale')
    )
),
everyone AS (
    SELECT ring, m, growing, unnest(range(size)) AS place, size, first_hour, last_hour, bursts,
           domains, prepared
    FROM rings
    UNION ALL
    SELECT NULL, m, growing, place, NULL, NULL, NULL, NULL, NULL, NULL FROM alone
),
numbered AS (
    SELECT
        * EXCLUDE (first_hour, last_hour, place),
        first_hour AS ring_first, last_hour AS ring_last,
        row_number() OVER (ORDER BY ring NULLS LAST, m, growing, place) * 8 + 6 AS account_id
    FROM everyone
),
begun AS (
    SELECT
        *,
        CASE WHEN ring IS NOT NULL THEN ring_first
             WHEN growing THEN growing_hour() + greatest(
                 below('lone.first', account_id, 640), below('lone.first+', account_id, 640))
             ELSE below('lone.first', account_id, getvariable('hours') + 240) - 240 END AS first_hour
    FROM numbered
)
SELECT
    account_id::BIGINT AS account_id, ring, m, growing, size, bursts, domains, first_hour,
    least(coalesce(ring_last, first_hour + 240), getvariable('hours')) AS last_hour,
    -- In seconds from the world's start; before it where negative.
    CASE WHEN ring IS NOT NULL
         THEN (first_hour - prepared) * 3600 + below('member.signup', account_id, 144000)
         ELSE first_hour * 3600 - 3600 - near_zero('lone.signup', account_id, 5184000)
         END AS signed_up
FROM begun;

-- Not every member shares everything: most a device, many an address block, few a card.
CREATE TEMP TABLE abuser_identities AS
SELECT
    account_id,
    CASE WHEN below('abuser.segment', account_id, 100) < 75 THEN 'casual'
         WHEN below('abuser.segment', account_id, 100) < 92 THEN 'business'
         ELSE 'regular' END AS segment,
    'dev_' || CASE WHEN ring IS NOT NULL AND chance('member.device', account_id, 850000)
        THEN hex8('ring.device', ring * 64 + below('member.device.pick', account_id, 1 + size // 6))
        ELSE hex8('device', account_id) END AS device_hash,
    'ipb_' || CASE WHEN ring IS NOT NULL AND chance('member.ip', account_id, 700000)
        THEN hex8('ring.ip', ring * 64 + below('member.ip.pick', account_id, 1 + size // 15))
        ELSE hex8('ip', below('account.ip', account_id, market_accounts(m) // 6 + 1) * 8 + m)
        END AS ip_block,
    CASE WHEN chance('account.pays', account_id, 450000) THEN
        'pay_' || CASE WHEN ring IS NOT NULL AND chance('member.card', account_id, 800000)
            THEN hex8('ring.card', ring * 64 + below('member.card.pick', account_id, 1 + size // 20))
            ELSE hex8('payment', account_id) END
    END AS payment_hash
FROM abusers;

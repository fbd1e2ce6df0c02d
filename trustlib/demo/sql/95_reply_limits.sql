-- The social side of the platform: 27 markets of its own, the same at every size, and a limit on
-- replies from strangers that one of them got in the world's first week. Needs the mixer, `seed`,
-- `world_start`, and the table of rollouts that 90_rollout.sql makes.
--
--   rollouts            + 'reply_limits': mint, and six weeks later lovage
--   harassment_reports  market, week_starting (a Monday, UTC), active_accounts, reports of
--                       harassment in that week; 78 weeks: 64 before mint's start and 14 from it on
--
-- Rates are whole reports per million active accounts. Without the limits,
--   rate of a market in a week = the market's level
--       + its loads on season, trend and two shocks that all markets share + its own shock
-- so that trends are not parallel, but a mix of markets with mint's loads moves as mint would
-- have. Mint has more of everything than most. Where replies are limited, 180 reports a week more
-- are prevented each week, up to ten times that, a little more or less by market.
--
-- Borage is next door to mint and much like it, with half as many accounts. Half of the reports
-- that mint is spared are made there: who was limited moved on. Nothing in `rollouts`
-- says so, and who compares mint with borage finds too large an effect.

CREATE TEMP MACRO limits_week(week) AS
    (getvariable('world_start') + to_days(((week - 64) * 7)::INTEGER))::DATE;
-- First week with the limits, by market number: lovage is 16, mint 17.
CREATE TEMP MACRO limits_start(k) AS CASE k WHEN 17 THEN 64 WHEN 16 THEN 70 END;
-- Up in one half of the year and down in the other, between -1000 and 1000: two parabolas.
CREATE TEMP MACRO season(p) AS
    CASE WHEN p < 26 THEN 4000 * p * (26 - p) // 676 ELSE -4000 * (p - 26) * (52 - p) // 676 END;
-- Per mille; mint and its neighbour have much the same of everything.
CREATE TEMP MACRO load(stream, k) AS
    CASE WHEN k IN (2, 17) THEN 1080 + below(stream, k, 150) ELSE 500 + below(stream, k, 1000) END;

CREATE TEMP TABLE social AS
SELECT
    k::INTEGER AS k,
    ['anise', 'basil', 'borage', 'caraway', 'chervil', 'chives', 'clove', 'comfrey', 'coriander',
     'cumin', 'dill', 'fennel', 'garlic', 'ginger', 'hyssop', 'lavender', 'lovage', 'mint',
     'mustard', 'nutmeg', 'oregano', 'parsley', 'rosemary', 'saffron', 'sage', 'tarragon',
     'thyme'][k + 1] AS market,
    CASE k WHEN 17 THEN 450000 WHEN 2 THEN 225000 ELSE 200000 + below('social.accounts', k, 400000)
        END AS accounts,
    below('social.growth', k, 3) AS growth,  -- per mille a week
    CASE WHEN k IN (2, 17) THEN 6800 + below('social.level', k, 600)
        ELSE 4000 + below('social.level', k, 4500) END AS level,
    load('social.season', k) AS season_load,
    load('social.trend', k) AS trend_load,
    load('social.first', k) AS first_load,
    load('social.second', k) AS second_load,
    1000 + bell('social.gain', k) * 80 // 37837 AS gain  -- per mille of the effect
FROM (SELECT unnest(range(27)) AS k);

INSERT INTO rollouts
SELECT 'reply_limits', market, limits_week(limits_start(k))::TIMESTAMP
FROM social
WHERE limits_start(k) IS NOT NULL
ORDER BY market;

CREATE TEMP TABLE social_weeks AS
WITH fading AS (
    -- Shared shocks keep four fifths from week to week, a market's own a half; the divisors turn
    -- a sum of twelve weeks into the standard deviation that is named. No join: see
    -- 10_calendar.sql.
    SELECT
        social.*, week,
        sum([1000, 800, 640, 512, 410, 328, 262, 210, 168, 134, 107, 86][lag + 1]
            * bell('social.first', week + 12 - lag)) * 350 // 62910000 AS first,
        sum([1000, 800, 640, 512, 410, 328, 262, 210, 168, 134, 107, 86][lag + 1]
            * bell('social.second', week + 12 - lag)) * 350 // 62910000 AS second,
        sum([1000, 500, 250, 125, 62, 31, 16, 8, 4, 2, 1, 0][lag + 1]
            * bell('social.own', k * 128 + week + 12 - lag)) * 150 // 43690000 AS own
    FROM social, (SELECT unnest(range(78))::INTEGER AS week),
         (SELECT unnest(range(12))::INTEGER AS lag)
    GROUP BY ALL
),
rated AS (
    SELECT
        *, k * 128 + week AS cell,
        accounts * (1000 + growth * week + bell('social.wobble', k * 128 + week) * 8 // 37837)
            // 1000 AS active_accounts,
        level + (season_load * season(week % 52) * 7 // 10 + trend_load * 20 * week
                 + first_load * first + second_load * second) // 1000 + own AS rate
    FROM fading
),
spared AS (
    SELECT
        *,
        CASE WHEN week >= limits_start(k)
            THEN least(180 * least(week - limits_start(k) + 1, 10) * gain // 1000, rate * 3 // 4)
            ELSE 0 END AS taken_off
    FROM rated
),
counted AS (
    -- A bell around the mean, 1.3 times as wide as Poisson: mean and spread in millionths.
    SELECT *, greatest(0, (active_accounts * rate + 500000
        + floor(sqrt((active_accounts * rate * 17 // 10)::DOUBLE))::BIGINT
          * bell('social.count', cell) * 1000 // 37837) // 1000000) AS without
    FROM spared
),
prevented AS (
    -- Each report is prevented with the same chance, taken_off out of rate.
    SELECT *, greatest(0, least(without, (without * 1000 * taken_off // rate + 500
        + floor(sqrt((without * 1000000 * taken_off // rate * (rate - taken_off) // rate)::DOUBLE)
            )::BIGINT * bell('social.prevented', cell) // 37837) // 1000)) AS prevented
    FROM counted
)
SELECT
    *,
    -- Half of what mint is spared in the same week.
    CASE WHEN k = 2 THEN max(CASE WHEN k = 17 THEN prevented END) OVER (PARTITION BY week)
        // 2 ELSE 0 END AS moved_here
FROM prevented;

CREATE TABLE harassment_reports AS
SELECT
    market,
    limits_week(week) AS week_starting,
    active_accounts::BIGINT AS active_accounts,
    (without - prevented + moved_here)::BIGINT AS reports
FROM social_weeks
ORDER BY market, week;

-- Every market-week: the reports that there would have been, how many of them the limits
-- prevented, how many came from next door, and what was expected, per million accounts.
CREATE TABLE truth.reply_limits AS
SELECT
    'reply_limits' AS intervention,
    market,
    limits_week(week) AS week_starting,
    without::BIGINT AS reports_without,
    prevented::BIGINT AS prevented,
    moved_here::BIGINT AS moved_here,
    rate::BIGINT AS rate_without_ppm,
    taken_off::BIGINT AS taken_off_ppm
FROM social_weeks
ORDER BY market, week;

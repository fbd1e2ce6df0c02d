-- The marketplace side of the platform: 84 markets of its own, the same at every size, and a
-- warning before suspicious links that was rolled out to two thirds of them in four waves.
-- Needs the mixer, `seed` and `world_start` alone.
--
--   rollouts    intervention, market, started_at: a market without a row never had it
--   complaints  market, week_starting (a Monday, UTC), active_accounts, complaints about
--               messages in that week; 22 weeks: eight before the world and its 14
--
-- Rates are whole complaints per million active accounts. Without the warning,
--   rate of a market in a week = the market's level + the week's shock + the market's own drift
-- so trends are parallel in the rate, by construction; nothing happens before a start. The
-- warning takes away (step of its wave) x e x (e + 3) in its e-th week, a little more or less by
-- market (never three quarters of all): it works better as people learn to read it, and best in
-- the first waves, with the worst scams. The markets with the highest levels tend to have it first.

CREATE TEMP MACRO week_starting(week) AS
    (getvariable('world_start') + to_days(((week - 8) * 7)::INTEGER))::DATE;
-- The four waves: first week with the warning, and the step of its effect.
CREATE TEMP MACRO wave_week(wave) AS [8, 10, 15, 18][wave + 1];
CREATE TEMP MACRO wave_step(wave) AS [33, 28, 24, 20][wave + 1];
-- Exact: IEEE square roots are rounded correctly everywhere.
CREATE TEMP MACRO isqrt(x) AS floor(sqrt(x::DOUBLE))::BIGINT;

CREATE TEMP TABLE marketplace AS
WITH named AS (
    SELECT
        k::INTEGER AS k,
        ['gean', 'hazel', 'holly', 'ivy', 'juniper', 'larch', 'linden', 'maple', 'medlar', 'oak',
         'osier', 'pine', 'poplar', 'quince', 'rowan', 'spruce', 'sumac', 'tupelo', 'walnut',
         'willow', 'yew'][k // 4 + 1]
        || '-' || ['north', 'east', 'south', 'west'][k % 4 + 1] AS market,
        9000 + below('market.accounts', k, 21000) AS accounts,
        below('market.growth', k, 4) AS growth,  -- per mille a week
        15000 + bell('market.level', k) * 2000 // 37837 AS level,
        1000 + bell('market.gain', k) * 100 // 37837 AS gain  -- per mille of its wave's effect
    FROM (SELECT unnest(range(84)) AS k)
),
ranked AS (
    -- The worst markets first, roughly: levels differ between waves, trends do not.
    SELECT *, row_number() OVER (
        ORDER BY level + bell('market.turn', k) * 2500 // 37837 DESC, k) - 1 AS place
    FROM named
)
SELECT * EXCLUDE (place), CASE WHEN place < 56 THEN place // 14 END AS wave
FROM ranked;

CREATE TABLE rollouts AS
SELECT
    'link_warning' AS intervention, market, week_starting(wave_week(wave))::TIMESTAMP AS started_at
FROM marketplace
WHERE wave IS NOT NULL
ORDER BY started_at, market;

-- Shocks have a memory: each week keeps half of the one before, from seven weeks earlier on.
CREATE TEMP MACRO fading(shock, lag1, lag2, lag3, lag4, lag5, lag6, lag7) AS
    (128 * shock + 64 * lag1 + 32 * lag2 + 16 * lag3 + 8 * lag4 + 4 * lag5 + 2 * lag6 + lag7)
    // 148;

CREATE TEMP TABLE market_weeks AS
WITH drawn AS (
    -- A product with the weeks and windows over it, no join: see 10_calendar.sql.
    SELECT
        *, k * 32 + week + 7 AS cell, week - wave_week(wave) + 1 AS run,
        bell('week.shock', week + 7) AS every, bell('cell.shock', k * 32 + week + 7) AS own
    FROM marketplace, (SELECT unnest(range(-7, 22))::INTEGER AS week)
),
laid AS (
    SELECT
        *,
        fading(every, lag(every, 1) OVER w, lag(every, 2) OVER w, lag(every, 3) OVER w,
               lag(every, 4) OVER w, lag(every, 5) OVER w, lag(every, 6) OVER w,
               lag(every, 7) OVER w) AS every_shock,
        fading(own, lag(own, 1) OVER w, lag(own, 2) OVER w, lag(own, 3) OVER w,
               lag(own, 4) OVER w, lag(own, 5) OVER w, lag(own, 6) OVER w,
               lag(own, 7) OVER w) AS own_shock
    FROM drawn
    WINDOW w AS (PARTITION BY k ORDER BY week)
    QUALIFY week >= 0
),
rated AS (
    SELECT
        market, week, cell,
        accounts * (1000 + growth * week + bell('cell.accounts', cell) * 8 // 37837) // 1000
            AS active_accounts,
        -- A platform that grows noisier, with good and bad weeks everywhere at once.
        level + 30 * week + every_shock * 700 // 37837 + own_shock * 700 // 37837 AS rate,
        CASE WHEN run > 0 THEN least(wave_step(wave) * run * (run + 3) * gain // 1000,
                                     rate * 3 // 4) ELSE 0 END AS taken_off
    FROM laid
),
counted AS (
    -- A bell around the mean, 1.3 times as wide as Poisson: mean and spread in millionths.
    SELECT *, greatest(0, (active_accounts * rate + 500000
        + isqrt(active_accounts * rate * 17 // 10) * bell('cell.count', cell) * 1000 // 37837
        ) // 1000000) AS without
    FROM rated
)
SELECT
    *,
    -- Each complaint is prevented with the same chance, taken_off out of rate.
    greatest(0, least(without, (without * 1000 * taken_off // rate + 500
        + isqrt(without * 1000000 * taken_off // rate * (rate - taken_off) // rate)
          * bell('cell.prevented', cell) // 37837
        ) // 1000)) AS prevented
FROM counted;

CREATE TABLE complaints AS
SELECT
    market,
    week_starting(week) AS week_starting,
    active_accounts::BIGINT AS active_accounts,
    (without - prevented)::BIGINT AS complaints
FROM market_weeks
ORDER BY market, week;

-- Every market-week: the complaints that there would have been, how many of them the warning
-- prevented, and the same as it was expected to be, in complaints per million accounts.
CREATE TABLE truth.rollout AS
SELECT
    'link_warning' AS intervention,
    market,
    week_starting(week) AS week_starting,
    without::BIGINT AS complaints_without,
    prevented::BIGINT AS prevented,
    rate::BIGINT AS rate_without_ppm,
    taken_off::BIGINT AS taken_off_ppm
FROM market_weeks
ORDER BY market, week;

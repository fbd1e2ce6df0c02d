-- Markets, hours, and how busy each hour of each market is.

-- What a market is, by its number 0-5. Look-ups in constant lists and not joins: a hash join
-- with so small a table meets an assertion of DuckDB 2.0 now and then ("dict-surviving cache:
-- global dictionary column changed identity").
CREATE TEMP MACRO market_name(m) AS
    ['alder', 'birch', 'cedar', 'dogwood', 'elm', 'fir'][m + 1];
CREATE TEMP MACRO utc_offset(m) AS [-5, 0, 1, 3, 5, 9][m + 1];
-- Share of the platform in per mille.
CREATE TEMP MACRO share(m) AS [300, 220, 180, 140, 100, 60][m + 1];
-- Violating among new items, and missed by the rules among those, in ppm.
CREATE TEMP MACRO violating_ppm(m) AS [60000, 75000, 50000, 90000, 85000, 40000][m + 1];
CREATE TEMP MACRO missed_ppm(m) AS [40000, 50000, 30000, 60000, 50000, 30000][m + 1];

CREATE TEMP TABLE markets AS SELECT unnest(range(6))::INTEGER AS m;

-- Activity by local hour: a long evening peak; at the weekend it starts later and lasts longer.
CREATE TEMP TABLE profile AS
SELECT
    unnest(range(24)) AS local_hour,
    unnest([45, 30, 22, 18, 18, 25, 42, 65, 82, 90, 95, 102,
            110, 108, 102, 104, 112, 128, 150, 172, 185, 180, 140, 85]) AS weekday,
    unnest([75, 55, 40, 28, 22, 22, 28, 42, 62, 85, 105, 120,
            128, 130, 128, 126, 128, 138, 155, 175, 188, 190, 165, 118]) AS weekend;

CREATE TEMP TABLE day_factor AS
SELECT unnest(range(7)) AS local_day,  -- 0 is Monday
       unnest([96, 95, 97, 99, 107, 109, 97]) AS factor;

-- Weights of a process whose memory fades by 4 % an hour: 10000, 9600, 9216, ...
CREATE TEMP TABLE memory AS
WITH RECURSIVE fading(lag, weight) AS (
    SELECT 0::BIGINT, 10000::BIGINT
    UNION ALL
    SELECT lag + 1, weight * 96 // 100 FROM fading WHERE lag < 119
)
SELECT lag, weight FROM fading;

-- The same from week to week, fading by 40 %.
CREATE TEMP TABLE week_memory AS
SELECT unnest(range(8)) AS lag, unnest([1000, 600, 360, 216, 130, 78, 47, 28]) AS weight;

-- Latent level in per mille around 1000, autocorrelated from hour to hour and week to week.
-- The divisors turn a bell sum into the standard deviation that is named, in per mille.
CREATE TEMP MACRO hourly_level(stream, sd) AS TABLE
    SELECT h.hour, sum(memory.weight * bell(stream, h.hour + 1000 - memory.lag))
                   * sd // 1351300000 AS level
    FROM (SELECT unnest(range(getvariable('hours'))) AS hour) AS h, memory
    GROUP BY h.hour;

CREATE TEMP MACRO weekly_level(stream, sd) AS TABLE
    SELECT w.week, sum(week_memory.weight * bell(stream, w.week + 100 - week_memory.lag))
                   * sd // 47296000 AS level
    FROM (SELECT unnest(range(getvariable('hours') // 168 + 1)) AS week) AS w, week_memory
    GROUP BY w.week;

CREATE TEMP TABLE levels AS
SELECT
    h.hour,
    1000 + h.level + w.level AS activity,
    1000 + r.level + rw.level AS reporting,
    1000 + a.level + aw.level AS abuse
FROM hourly_level('level.activity', 50) AS h
JOIN hourly_level('level.reporting', 50) AS r USING (hour)
JOIN hourly_level('level.abuse', 60) AS a USING (hour)
JOIN weekly_level('level.activity.week', 30) AS w ON w.week = h.hour // 168
JOIN weekly_level('level.reporting.week', 25) AS rw ON rw.week = h.hour // 168
JOIN weekly_level('level.abuse.week', 30) AS aw ON aw.week = h.hour // 168;

-- One row per hour and market: relative weights of views, items and reports, all integers.
CREATE TEMP TABLE cells AS
WITH local AS (
    SELECT
        h.hour, m,
        (h.hour + utc_offset(m) + 168) % 24 AS local_hour,
        ((h.hour + utc_offset(m) + 168) // 24) % 7 AS local_day
    FROM (SELECT unnest(range(getvariable('hours'))) AS hour) AS h, markets
),
busy AS (
    SELECT
        local.hour, local.m,
        share(local.m) * day_factor.factor
        * CASE WHEN local_day >= 5 THEN weekend ELSE weekday END
        * greatest(levels.activity, 200) // 1000 AS activity,
        greatest(levels.reporting, 200) AS reporting,
        greatest(levels.abuse, 200) AS abuse
    FROM local
    JOIN profile USING (local_hour)
    JOIN day_factor USING (local_day)
    JOIN levels USING (hour)
)
SELECT
    hour, m,
    activity AS views,
    activity AS items,
    activity * reporting // 1000 AS reports,
    violating_ppm(m) * abuse // 1000 AS violating_ppm
FROM busy;

-- How many events each cell has: filled series by series.
CREATE TEMP TABLE counts (series VARCHAR, hour BIGINT, m INTEGER, n BIGINT);

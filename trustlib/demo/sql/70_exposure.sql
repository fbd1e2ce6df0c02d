-- Views and reports: where the numbers of both start, cell by cell.
CREATE TEMP TABLE reach AS
SELECT
    c.hour, c.m, c.before,
    -- items of the last ten and of the last two days
    c.before - coalesce(long.before, 0) AS last_ten_days,
    c.before - coalesce(short.before, 0) AS last_two_days
FROM item_cells AS c
LEFT JOIN item_cells AS long ON long.m = c.m AND long.hour = c.hour - 240
LEFT JOIN item_cells AS short ON short.m = c.m AND short.hour = c.hour - 48;

CREATE TEMP TABLE exposure AS
SELECT
    counts.series, counts.hour, counts.m, counts.n,
    reach.before, reach.last_ten_days, reach.last_two_days,
    (sum(counts.n) OVER (PARTITION BY counts.series ORDER BY counts.hour, counts.m)
        - counts.n)::BIGINT AS earlier
FROM counts
JOIN reach USING (hour, m)
WHERE counts.series IN ('views', 'reports') AND reach.before > 0;

-- What the rules missed, numbered within its market in order of time.
CREATE TEMP TABLE missed AS
SELECT item_id, item_id % 8 AS m, created_at,
       row_number() OVER (PARTITION BY item_id % 8 ORDER BY item_id) AS number
FROM truth.violating_items WHERE missed;

CREATE TEMP TABLE missed_before AS
SELECT c.hour, c.m, coalesce(sum(found.n) OVER (
    PARTITION BY c.m ORDER BY c.hour ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
), 0)::BIGINT AS n
FROM item_cells AS c
LEFT JOIN (
    SELECT date_diff('hour', getvariable('world_start'), created_at) AS hour, m, count(*) AS n
    FROM missed GROUP BY ALL
) AS found ON found.hour = c.hour AND found.m = c.m;

CREATE TABLE views (
    view_id BIGINT, viewed_at TIMESTAMP, item_id BIGINT, viewer_id BIGINT,
    market VARCHAR, surface VARCHAR
);
CREATE TABLE reports (
    report_id BIGINT, item_id BIGINT, reporter_id BIGINT, reason VARCHAR, reported_at TIMESTAMP
);

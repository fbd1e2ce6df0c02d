-- `events` events of `series` fall into cells in proportion to the cells' weights:
-- a lookup table of about a million slots, one draw per event.
CREATE OR REPLACE TEMP TABLE slots AS
WITH weighed AS (
    SELECT hour, m, weight * 1000000 // sum(weight) OVER () + 1 AS width
    FROM (SELECT hour, m, CASE getvariable('series')
              WHEN 'views' THEN views WHEN 'items' THEN items WHEN 'reports' THEN reports
          END AS weight FROM cells)
)
SELECT hour, m, (row_number() OVER (ORDER BY hour, m, k) - 1)::BIGINT AS slot
FROM (SELECT hour, m, unnest(range(width::BIGINT)) AS k FROM weighed);

INSERT INTO counts
SELECT getvariable('series'), hour, m, count(*)
FROM (
    SELECT below(getvariable('series') || '.slot', i, (SELECT count(*) FROM slots)) AS slot
    FROM range(getvariable('events')) AS t(i)
)
JOIN slots USING (slot)
GROUP BY hour, m;

-- Payments that a post led to and that the payer disputes, up to three weeks later: about 40 a day
-- in a small world, some days half as many again. What the under-blocking let pass adds its own.
-- chargeback_id = item_id * 4 + 0 (ordinary), 1 or 2.
CREATE TEMP MACRO dispute_ppm(day) AS  -- of the day's items: 1.33 %, give or take a quarter
    greatest(13300 + bell('chargeback.day', day) * 3300 // 37837, 2000);

CREATE TEMP TABLE disputes AS
WITH paid AS (
    SELECT item_id * 4 AS chargeback_id, item_id,
           created_at + to_seconds(near_zero('chargeback.event', item_id, 172800)) AS event_at
    FROM items
    WHERE item_id % 8 < 6 AND chance('chargeback.ordinary', item_id,
        dispute_ppm(date_diff('day', getvariable('world_start'), created_at)))
    UNION ALL
    SELECT item_id * 4 + claim, item_id,
           case_at + to_seconds(near_zero('chargeback.own', item_id * 4 + claim, 86400))
    FROM (SELECT *, unnest(range(1, claims_of(item_id) + 1)) AS claim
          FROM cases WHERE side = 'under' AND violating)
)
SELECT *, event_at + to_seconds(43200 + near_zero('chargeback.delay', chargeback_id, 1771200))
           AS filed_at
FROM paid
WHERE event_at < at_hour(getvariable('hours'), 0);

CREATE TABLE chargebacks AS
SELECT chargeback_id, item_id, event_at, filed_at FROM disputes
WHERE filed_at < at_hour(getvariable('hours'), 0) ORDER BY filed_at, chargeback_id;

CREATE TABLE truth.late_chargebacks AS
SELECT chargeback_id, item_id, event_at, filed_at AS arrived_at FROM disputes
WHERE filed_at >= at_hour(getvariable('hours'), 0) ORDER BY arrived_at, chargeback_id;

-- Items: numbered within a market in order of time; item_id = number * 8 + market.
CREATE TEMP TABLE item_cells AS
SELECT
    cells.hour, cells.m, cells.violating_ppm, coalesce(counts.n, 0) AS n,
    (sum(coalesce(counts.n, 0)) OVER (PARTITION BY cells.m ORDER BY cells.hour)
        - coalesce(counts.n, 0))::BIGINT AS before
FROM cells
LEFT JOIN counts ON counts.series = 'items' AND counts.hour = cells.hour AND counts.m = cells.m;

CREATE TABLE items (
    item_id BIGINT, account_id BIGINT, created_at TIMESTAMP, kind VARCHAR,
    url_domain VARCHAR, text_hash VARCHAR
);
-- What is true of an item and no table of the world says; benign items are left out.
CREATE TABLE truth.violating_items (
    item_id BIGINT, market VARCHAR, created_at TIMESTAMP, missed BOOLEAN
);

CREATE TEMP MACRO violates(item_id, ppm) AS chance('item.violates', item_id, ppm);
CREATE TEMP MACRO has_link(item_id) AS chance('item.link', item_id, 300000);
CREATE TEMP MACRO created_second(item_id) AS below('item.second', item_id, 3600);
CREATE TEMP MACRO rule_delay(item_id) AS below('item.rule_delay', item_id, 300);

-- All of it into the tables of the world, and what is true of it apart.
CREATE TABLE truth.rings AS
SELECT ring, market_name(m) AS market, growing, size AS accounts, bursts,
       at_hour(first_hour, 0) AS started_at, at_hour(last_hour, 0) AS ended_at
FROM rings ORDER BY ring;

CREATE TABLE truth.abusers AS
SELECT
    account_id, ring, market_name(m) AS market, growing, at_hour(0, signed_up) AS created_at,
    at_hour(0, disabled_second) AS disabled_at, coalesce(vanished, false) AS vanished,
    segment, device_hash, ip_block, payment_hash
FROM abusers JOIN abuser_identities USING (account_id) LEFT JOIN disabled USING (account_id)
ORDER BY account_id;

CREATE TABLE truth.scam_items AS
SELECT item_id, account_id, market_name(m) AS market, kind, ring, growing,
       at_hour(0, second) AS created_at, at_hour(0, gone_second) AS gone_at
FROM posted_items WHERE bad ORDER BY item_id;

INSERT INTO accounts
SELECT account_id, created_at, market, segment, device_hash, ip_block, payment_hash
FROM truth.abusers WHERE NOT vanished ORDER BY account_id;

INSERT INTO items
SELECT item_id, account_id, at_hour(0, second), kind, url_domain, text_hash
FROM posted_items ORDER BY item_id;

INSERT INTO scores
SELECT item_id, model_version(s.hour), s.score / 10000, at_hour(0, scored_second)
FROM abuse_scores AS s JOIN posted_items USING (item_id)
WHERE scored_second < getvariable('hours') * 3600
ORDER BY item_id;

-- Which report gave way, so that tests can put it back; none where the author vanished, whose
-- reports are new rows: no join to `accounts` finds them.
CREATE TABLE truth.scam_reports AS
SELECT
    CASE WHEN p.vanished THEN 2 * getvariable('reports') + r.report_id ELSE r.report_id END
        AS report_id,
    r.item_id, NOT p.vanished AS instead, reports.item_id AS instead_of_item_id,
    reports.reason AS instead_of_reason, reports.reporter_id, reports.reported_at
FROM scam_reports AS r
JOIN posted_items AS p USING (item_id)
JOIN reports ON reports.report_id = r.report_id
WHERE p.gone_second IS NULL OR r.reported_second < p.gone_second
ORDER BY report_id;

CREATE TEMP MACRO scam_reason(report_id) AS
    ['scam', 'scam', 'scam', 'scam', 'spam', 'other'][1 + below('scam.reason', report_id, 6)];
UPDATE reports SET item_id = r.item_id, reason = scam_reason(r.report_id)
FROM truth.scam_reports AS r WHERE r.instead AND r.report_id = reports.report_id;
INSERT INTO reports
SELECT report_id, item_id, reporter_id, scam_reason(report_id), reported_at
FROM truth.scam_reports WHERE NOT instead ORDER BY report_id;

-- action_id = item_id * 4 + 1 (review), 2 (rule) or 3 (model), as in 60_actions.sql. Mistakes only
-- limit, so that the views and reports of everybody else's items are as they were.
INSERT INTO actions
WITH everything AS (
    SELECT p.item_id, p.account_id, at_hour(0, h.acted_second) AS acted_at, h.code,
           'limit' AS action
    FROM scam_hits AS h JOIN posted_items AS p USING (item_id)
    WHERE h.acted_second < least(coalesce(p.gone_second, h.acted_second + 1),
                                 getvariable('hours') * 3600)
    UNION ALL
    SELECT r.item_id, r.account_id, at_hour(0, r.reviewed_second), 1,
           CASE WHEN r.disables AND r.reviewed_second = p.disabled_second
                THEN 'disable' ELSE 'remove' END
    FROM scam_reviews AS r JOIN posted_items AS p USING (item_id)
    WHERE p.disabled_second IS NULL OR r.reviewed_second <= p.disabled_second
    UNION ALL
    SELECT h.item_id, h.account_id, h.acted_at, h.code, 'limit'
    FROM false_hits AS h LEFT JOIN gone USING (item_id)
    WHERE (gone.acted_at IS NULL OR h.acted_at < gone.acted_at)
      AND h.acted_at < at_hour(getvariable('hours'), 0)
    UNION ALL
    SELECT h.item_id, h.account_id,
           h.acted_at + to_seconds(7200 + below('scam.review.hit', h.item_id, 259200)), 1, 'limit'
    FROM false_hits AS h LEFT JOIN gone USING (item_id)
    WHERE h.code = 3 AND gone.acted_at IS NULL AND h.item_id % 8 < 6
      AND chance('scam.reviews.hit', h.item_id, 400000)
      AND chance('scam.review.wrong', h.item_id, 400000)
      AND h.item_id NOT IN (SELECT item_id FROM truth.violating_items)
      AND h.acted_at < at_hour(getvariable('hours') - 74, 0)
)
SELECT item_id * 4 + code, item_id, account_id, action,
       CASE code WHEN 1 THEN 'scam_review' WHEN 2 THEN 'scam_rule' ELSE 'scam_model' END, acted_at
FROM everything ORDER BY acted_at, item_id, code;

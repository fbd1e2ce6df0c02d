-- The scam classifier. In standard deviations of a harmless item's latent score, a scam lies 3.1
-- higher under the first version, 3.5 under the second, and from `drift_hour` on ever less, down
-- to 2.9 eight days later. Spam lies .9 higher: alike, but no scam. The kind that grows is new to it.
CREATE TEMP MACRO model_hour() AS 1008;
CREATE TEMP MACRO drift_hour() AS 1512;
CREATE TEMP MACRO model_version(hour) AS
    CASE WHEN hour < model_hour() THEN 'scam-1' ELSE 'scam-2' END;
-- In thousandths of a standard deviation.
CREATE TEMP MACRO scam_shift(hour, growing) AS
    CASE WHEN hour < model_hour() THEN 3100
         ELSE greatest(3500 - greatest(hour - drift_hour(), 0) * 600 // 192, 2900) END
    - CASE WHEN growing THEN 200 ELSE 0 END;
CREATE TEMP MACRO latent(item_id) AS bell('score', item_id) * 1000 // 37837;
-- 0 to 10,000; the middle where one harmless item in two hundred lies above.
CREATE TEMP MACRO squashed(x) AS 5000 + 5000 * (x - 2500) // (1500 + abs(x - 2500));
CREATE TEMP MACRO scoring_delay(item_id) AS 1 + below('score.delay', item_id, 30);

CREATE TABLE scores (item_id BIGINT, model_version VARCHAR, score DOUBLE, scored_at TIMESTAMP);

CREATE TEMP TABLE abuse_scores AS
SELECT
    item_id, hour, second + scoring_delay(item_id) AS scored_second,
    squashed(latent(item_id) + CASE WHEN bad THEN scam_shift(hour, growing) ELSE 0 END) AS score
FROM abuse_items;

-- The scam controls' hits on everybody else's items, all mistakes: code 2 a rule, 3 the model.
CREATE TEMP TABLE false_hits (item_id BIGINT, account_id BIGINT, acted_at TIMESTAMP, code INTEGER);
CREATE TEMP MACRO model_acts(item_id, score) AS
    score >= 6500 AND chance('scam_model.acts', item_id, 950000);
CREATE TEMP MACRO model_delay(item_id) AS 60 + below('scam_model.delay', item_id, 600);
CREATE TEMP MACRO scam_rule_delay(item_id) AS below('scam_rule.delay', item_id, 300);

-- Labels for the policy `scam`: a sample of items by score, a sample of views, and items whose
-- answer is known, given to every rater.
CREATE TEMP MACRO guideline_hour() AS 1176;
CREATE TEMP MACRO sampling_hour() AS 1344;
CREATE TEMP MACRO raters() AS 12;
CREATE TEMP MACRO sensitivity_before_permille() AS 600;

CREATE TABLE truth.raters AS
SELECT rater_id::INTEGER AS rater_id, 840000 + below('rater.sensitivity', rater_id, 140000)
           AS sensitivity_ppm,
       999800 + below('rater.specificity', rater_id, 190) AS specificity_ppm
FROM range(1, raters() + 1) AS t(rater_id);
-- Looked up in lists and not joined: see 10_calendar.sql.
SET VARIABLE sensitivity = (SELECT list(sensitivity_ppm ORDER BY rater_id) FROM truth.raters);
SET VARIABLE specificity = (SELECT list(specificity_ppm ORDER BY rater_id) FROM truth.raters);

-- Before the guideline named them, raters let four scams in ten pass.
CREATE TEMP MACRO verdict(stream, entry, rater, scam, early) AS
    CASE WHEN scam THEN chance(stream, entry,
             getvariable('sensitivity')[rater] * (CASE WHEN early THEN sensitivity_before_permille() ELSE 1000 END) // 1000)
         ELSE chance(stream, entry, 1000000 - getvariable('specificity')[rater]) END::INTEGER;
CREATE TEMP MACRO early(labelled_at) AS labelled_at < at_hour(guideline_hour(), 0);

-- Five strata by score; how many are wanted of each over the whole world, in per mille, before and
-- after the sampling was changed.
CREATE TEMP MACRO stratum_of(score) AS
    CASE WHEN score < 0.25 THEN 1 WHEN score < 0.35 THEN 2 WHEN score < 0.45 THEN 3
         WHEN score < 0.65 THEN 4 ELSE 5 END;
CREATE TEMP MACRO stratum_name(stratum) AS
    ['score-00-25', 'score-25-35', 'score-35-45', 'score-45-65', 'score-65-100'][stratum];
CREATE TEMP MACRO wanted_permille(stratum, late) AS
    CASE WHEN late THEN [200, 325, 175, 150, 150][stratum]
         ELSE [275, 350, 150, 125, 100][stratum] END;

-- The chance of an item, and of a view, to be drawn, in ppm. Wide on purpose: see 30_accounts.sql.
CREATE TEMP MACRO item_ppm(stratum, late, items) AS
    least(getvariable('label_items')::BIGINT * 1000 * wanted_permille(stratum, late) // items,
          1000000);
CREATE TEMP MACRO view_ppm(stratum) AS
    least(getvariable('label_views')::BIGINT * 10000 * [37, 170, 660, 1400, 6000][stratum]
          // getvariable('views'), 1000000);

CREATE TEMP TABLE strata AS
SELECT stratum, count(*) AS n FROM (SELECT stratum_of(score) AS stratum FROM scores)
GROUP BY stratum;
SET VARIABLE stratum_items = (
    SELECT list(coalesce(n, 1) ORDER BY s) FROM range(1, 6) AS t(s) LEFT JOIN strata ON stratum = s
);

CREATE TEMP TABLE sampled AS
WITH designed AS (
    SELECT
        item_id, scored_at, stratum_of(score) AS stratum,
        item_ppm(stratum_of(score), scored_at >= at_hour(sampling_hour(), 0),
                 getvariable('stratum_items')[stratum_of(score)]) AS ppm
    FROM scores
)
SELECT designed.*, scam.item_id IS NOT NULL AS scam
FROM (FROM designed WHERE chance('label.item', item_id, ppm)) AS designed
LEFT JOIN truth.scam_items AS scam USING (item_id);

-- One in ten is rated twice, some of those three times, by different people.
CREATE TEMP MACRO rater_of(stream, id, vote) AS
    1 + (below(stream, id, raters()) + CASE vote WHEN 0 THEN 0
         WHEN 1 THEN 1 + below(stream || '.second', id, 5)
         ELSE 6 + below(stream || '.third', id, 6) END) % raters();
CREATE TEMP MACRO label_seconds(entry) AS 86400 + near_zero('label.delay', entry, 1036800);

CREATE TABLE labels AS
WITH votes AS (
    SELECT *, item_id * 4 + vote AS entry
    FROM (SELECT *, unnest(range(CASE WHEN NOT chance('label.double', item_id, 100000) THEN 1
                                      WHEN NOT chance('label.triple', item_id, 250000) THEN 2
                                      ELSE 3 END)) AS vote FROM sampled)
),
given AS (
    SELECT *, rater_of('label.rater', item_id, vote)::INTEGER AS rater_id,
           scored_at + to_seconds(label_seconds(entry)) AS labelled_at
    FROM votes
)
SELECT item_id, rater_id, verdict('label.verdict', entry, rater_id, scam, early(labelled_at))
           AS label, 'scam' AS policy, stratum_name(stratum) AS stratum,
       ppm / 1000000 AS inclusion_probability, labelled_at
FROM given
-- The newest items' labels have not all come in.
WHERE labelled_at < at_hour(getvariable('hours'), 0)
ORDER BY labelled_at, item_id, rater_id;

-- Views, drawn at random within strata of the item's score: each row is one view, so that an item
-- counts as often as it was seen.
CREATE TABLE view_labels AS
WITH candidates AS (
    SELECT view_id, item_id, viewed_at FROM views WHERE chance('label.view', view_id, view_ppm(5))
),
drawn AS (
    SELECT view_id, item_id, viewed_at, stratum_of(score) AS stratum,
           view_ppm(stratum_of(score)) AS ppm
    FROM candidates JOIN scores USING (item_id)
    WHERE chance('label.view', view_id, view_ppm(stratum_of(score)))
),
given AS (
    SELECT drawn.*, scam.item_id IS NOT NULL AS scam,
           rater_of('label.view.rater', view_id, 0)::INTEGER AS rater_id,
           viewed_at + to_seconds(86400 + near_zero('label.view.delay', view_id, 1036800))
               AS labelled_at
    FROM drawn LEFT JOIN truth.scam_items AS scam USING (item_id)
)
SELECT view_id, item_id, rater_id,
       verdict('label.view.verdict', view_id, rater_id, scam, early(labelled_at)) AS label,
       'scam' AS policy, stratum_name(stratum) AS stratum, ppm / 1000000 AS inclusion_probability, labelled_at
FROM given
WHERE labelled_at < at_hour(getvariable('hours'), 0)
ORDER BY labelled_at, view_id;

-- Sixty scams and 940 harmless items, put into every rater's queue under the new guideline.
CREATE TABLE gold_labels AS
WITH known AS (
    SELECT item_id, 1 AS gold FROM (FROM truth.scam_items ORDER BY bits('gold', item_id), item_id
                                    LIMIT 60)
    UNION ALL
    SELECT item_id, 0 FROM (
        FROM scores WHERE item_id % 8 < 6 AND chance('gold.candidate', item_id, 10000)
        ORDER BY bits('gold', item_id), item_id LIMIT 940)
),
asked AS (
    SELECT *, item_id * 16 + rater_id AS entry
    FROM (SELECT *, unnest(range(1, raters() + 1))::INTEGER AS rater_id FROM known)
)
SELECT item_id, rater_id, verdict('gold.verdict', entry, rater_id, gold = 1, false) AS label, gold,
       'scam' AS policy,
       at_hour(guideline_hour(), 0)
           + to_seconds(below('gold.second', entry, (getvariable('hours') - guideline_hour()) * 3600))
           AS labelled_at
FROM asked ORDER BY item_id, rater_id;

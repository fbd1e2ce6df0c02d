-- One row per view of a case of the under-blocking.
SELECT
    views.item_id,
    views.viewer_id,
    views.viewed_at
FROM views
JOIN incident_cases AS cases ON cases.item_id = views.item_id
WHERE cases.incident_id = 'under-blocking'

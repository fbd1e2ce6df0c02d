-- One row per case of the under-blocking that an expert looked at, and the chance that it was
-- drawn.
SELECT
    incident_audit.item_id,
    incident_audit.label,
    incident_audit.inclusion_probability,
    incident_audit.rater_id,
    incident_audit.labelled_at
FROM incident_audit
WHERE incident_audit.incident_id = 'under-blocking'

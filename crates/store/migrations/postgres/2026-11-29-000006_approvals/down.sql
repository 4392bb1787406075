DROP TABLE approval_days;
DROP TABLE approval_templates;

DROP TABLE form_polls;

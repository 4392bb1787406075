DROP TABLE form_records;

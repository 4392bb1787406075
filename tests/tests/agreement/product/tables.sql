CREATE TABLE departments (
    tenant_id text NOT NULL, id text NOT NULL, parent_id text, name text NOT NULL, name_en text, position bigint,
    leaders text NOT NULL DEFAULT '[]', version bigint NOT NULL DEFAULT 0, source_time bigint NOT NULL DEFAULT 0,
    deleted_at bigint,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
);
CREATE TABLE members (
    tenant_id text NOT NULL, id text NOT NULL COLLATE NOCASE, name text NOT NULL, mobile text, email text, title text,
    gender text NOT NULL, status text NOT NULL, employee_number text, main_department_id text,
    manager_id text COLLATE NOCASE, attributes text NOT NULL DEFAULT '{}', version bigint NOT NULL DEFAULT 0,
    source_time bigint NOT NULL DEFAULT 0, deleted_at bigint,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, main_department_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
);
CREATE TABLE member_departments (
    tenant_id text NOT NULL, member_id text NOT NULL COLLATE NOCASE, department_id text NOT NULL,
    is_leader integer NOT NULL DEFAULT 0, position bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, member_id, department_id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE,
    FOREIGN KEY (tenant_id, department_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
);

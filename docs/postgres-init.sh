#!/bin/sh
# Run once by the PostgreSQL image, on an empty cluster: the login of LumenOne and its database.
# The login is no superuser and has no BYPASSRLS. CREATEROLE lets it make the two roles that its connections rest in.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$LUMENONE_PASSWORD" \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
create role lumenone login createrole password :'password';
create database lumenone owner lumenone;
SQL

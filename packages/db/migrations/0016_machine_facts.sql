-- What a runner says about its machine: what its policy allows, worktrees and disk. Null: its runner is older.
alter table machines add column facts jsonb;

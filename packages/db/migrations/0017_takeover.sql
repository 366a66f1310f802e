-- When another installation became the machine's runner. What was pushed to the one before and not accepted goes back then,
-- or both would accept it.
alter table machines add column taken_over_at timestamptz;

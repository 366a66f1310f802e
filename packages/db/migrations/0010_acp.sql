-- Agents of the Agent Client Protocol run a command of their machine's policy file, too.
alter table agents drop constraint agents_check;
alter table agents add constraint agents_check check ((runtime in ('acp', 'command')) = (command is not null));

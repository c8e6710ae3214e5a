use Test::More tests => 4;
ok(1 + 1 == 2, 'adds');
is(2 + 2, 5, 'adds wrong');
SKIP: { skip 'not today', 1; }
TODO: { local $TODO = 'later'; ok(0, 'to be done'); }

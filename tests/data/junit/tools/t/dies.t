use Test::More tests => 2;
ok(1, 'begins');
die "no luck";

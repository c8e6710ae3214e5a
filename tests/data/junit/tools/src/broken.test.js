require('./missing');
test('never begins', () => {});

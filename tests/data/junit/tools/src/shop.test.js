describe('shop', () => {
  test('adds', () => expect(1 + 1).toBe(2));
  test('adds wrong', () => {
    console.log('about to fail');
    expect(2 + 2).toBe(5);
  });
  test('throws', () => {
    throw new Error('no luck <&>');
  });
  test.skip('is left out', () => {});
  test.todo('is to be done');
});

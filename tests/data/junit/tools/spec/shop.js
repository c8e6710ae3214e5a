describe('shop', () => {
  it('adds', () => require('assert').strictEqual(1 + 1, 2));
  it('adds wrong', () => {
    console.log('about to fail');
    require('assert').strictEqual(2 + 2, 5);
  });
  it('throws', () => {
    throw new Error('no luck <&>');
  });
  it.skip('is left out', () => {});
  
});

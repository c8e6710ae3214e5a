RSpec.describe 'Shop' do
  it('adds') { expect(1 + 1).to eq(2) }

  it('adds wrong') do
    puts 'about to fail'
    expect(2 + 2).to eq(5)
  end

  it('raises') { raise ArgumentError, 'no luck <&>' }

  it('is pending') { pending 'not today'; raise 'x' }

  xit('is left out') { }

  context 'inside' do
    before { raise 'no setup' }
    it('never begins') { }
  end
end

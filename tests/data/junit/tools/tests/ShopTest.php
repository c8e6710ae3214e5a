<?php
declare(strict_types=1);

use PHPUnit\Framework\TestCase;

final class ShopTest extends TestCase
{
    public function testAdds(): void
    {
        $this->assertSame(2, 1 + 1);
    }

    public function testAddsWrong(): void
    {
        echo 'about to fail';
        $this->assertSame(5, 2 + 2, 'two & two');
    }

    public function testThrows(): void
    {
        throw new RuntimeException('no luck');
    }

    public function testIsLeftOut(): void
    {
        $this->markTestSkipped('not today');
    }

    public function testIsIncomplete(): void
    {
        $this->markTestIncomplete('later');
    }

    public function testSaysNothing(): void
    {
    }

    /** @dataProvider sizes */
    public function testSizes(int $size): void
    {
        $this->assertLessThan(3, $size);
    }

    public static function sizes(): array
    {
        return ['small' => [1], 'large' => [3]];
    }
}

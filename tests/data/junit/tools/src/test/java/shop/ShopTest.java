package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShopTest {
    private static int runs;

    @Test
    void adds() {
        assertEquals(2, 1 + 1);
    }

    @Test
    void addsWrong() {
        System.out.println("about to fail");
        assertEquals(5, 2 + 2, "two & two");
    }

    @Test
    void passesAtLast() {
        System.out.println("run " + runs);
        assertEquals(2, runs++);
    }

    @Test
    void throwsUp() {
        throw new IllegalStateException("no luck");
    }

    @Test
    @Disabled("not today")
    void isLeftOut() {
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void sizes(int size) {
        assertEquals(1, size);
    }
}

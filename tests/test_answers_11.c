// The answers to the exercises of chapter 11.
#include <criterion/criterion.h>

#include "11-clothes/answers.c"

TestSuite(answers_11, .timeout = 30);

// Rows are labels: 4 of class 0, 5 of class 1, none of class 2.
static const size_t confusion[] = {3, 1, 0, 2, 3, 0, 0, 0, 0};

Test(answers_11, constant_answer_scores_the_share_of_its_class)
{
    cr_assert(constant_score(confusion, 3, 0) == 4.0 / 9);
    cr_assert(constant_score(confusion, 3, 1) == 5.0 / 9);
    cr_assert(constant_score(confusion, 3, 2) == 0);
    cr_assert(isnan(constant_score((const size_t[9]){0}, 3, 0)));
}

Test(answers_11, recall_is_of_rows_and_precision_of_columns)
{
    cr_assert(recall(confusion, 3, 0) == 3.0 / 4);
    cr_assert(recall(confusion, 3, 1) == 3.0 / 5);
    cr_assert(precision(confusion, 3, 0) == 3.0 / 5);
    cr_assert(precision(confusion, 3, 1) == 3.0 / 4);
    cr_assert(isnan(recall(confusion, 3, 2)));
    cr_assert(isnan(precision(confusion, 3, 2)));
}

Test(answers_11, floats_are_read_byte_by_byte)
{
    const uint8_t one[] = {0x3f, 0x80, 0, 0}, third[] = {0x3e, 0xaa, 0xaa, 0xab};
    const uint8_t minus[] = {0xc0, 0x20, 0, 0};
    cr_assert(idx_float(one) == 1.0f);
    cr_assert(idx_float(third) == 1.0f / 3);
    cr_assert(idx_float(minus) == -2.5f);
}

Test(answers_11, nearest_picture_gives_its_label)
{
    const uint8_t pixel[] = {0, 0, 0, 0, 250, 250, 0, 0, 0, 0, 250, 250};
    const uint8_t label[] = {4, 7, 9};
    const struct nn_pictures set = {.m = 3, .rows = 2, .cols = 2,
                                    .pixel = pixel, .label = label};
    const uint8_t dark[] = {9, 9, 9, 9}, top[] = {200, 255, 30, 0};
    const uint8_t bottom[] = {90, 0, 180, 255};
    cr_assert(nearest_label(&set, dark) == 4);
    cr_assert(nearest_label(&set, top) == 7);
    cr_assert(nearest_label(&set, bottom) == 9);
}

/* Tangled from chapters/01-twice.nw: edit there. Sum 1518181419. */
/* The answers to the exercises of chapter 1; see there. */
int steps_needed(double start);
double settle_with(double h);
double settle_central(double h);
double largest_rate(void);
void settle_with_bias(double h, double *w, double *b);

// activation: activations and their derivatives, named by kind and order, from the functions of elementwise.wgsl; what its
// head says of compilers and of four elements at once holds here too. Formulas as in src/ops/activation.ts.

fn decay(x: f32) -> f32 {
  return exp(-abs(x));
}

// sigmoid(x) = s, and its derivative s (1 - s), without the difference.
fn sigmoid(x: f32) -> f32 {
  let q = decay(x);
  return select(q, 1.0, x >= 0.0) / (1.0 + q);
}

fn sigmoidRate(x: f32) -> f32 {
  let q = decay(x);
  return q / ((1.0 + q) * (1.0 + q));
}

// silu = x s.  silu' = s (1 + x (1 - s)).  silu'' = s (1 - s) (2 + x q), q = 1 - 2 s = -tanh(x / 2).
// silu''' = s (1 - s) (3 q + x (q^2 - 2 s (1 - s))).
// Of the first three the functions named Of take exp(-|x|), which a chain has once for all of them.
fn silu0(x: f32) -> f32 {
  return silu0Of(x, decay(x));
}

fn silu1(x: f32) -> f32 {
  return silu1Of(x, decay(x));
}

fn silu2(x: f32) -> f32 {
  return silu2Of(x, decay(x));
}

fn silu0Of(x: f32, d: f32) -> f32 {
  return x * select(d, 1.0, x >= 0.0) / (1.0 + d);
}

fn silu1Of(x: f32, d: f32) -> f32 {
  let r = 1.0 / (1.0 + d);
  return select(d, 1.0, x >= 0.0) * r * (1.0 + x * select(1.0, d, x >= 0.0) * r);
}

// x tanh(x / 2) = |x| (1 - d) / (1 + d): what 1 - d has lost near 0 does not count beside 2.
fn silu2Of(x: f32, d: f32) -> f32 {
  let r = 1.0 / (1.0 + d);
  return d * r * r * (2.0 - abs(x) * (1.0 - d) * r);
}

fn silu3(x: f32) -> f32 {
  let rate = sigmoidRate(x);
  let q = -tanh0(0.5 * x);
  return rate * (3.0 * q + x * (q * q - 2.0 * rate));
}

// tanh = (1 - e) / (1 + e), e = exp(-2 |x|), with the sign of x; no overflow, and exact to first order near 0.
fn tanh0(x: f32) -> f32 {
  let d = expm1(-2.0 * abs(x));
  let t = -d / (2.0 + d);
  return select(t, -t, x < 0.0);
}

// tanh' = 1 - t^2 = 4 e / (1 + e)^2.  tanh'' = -2 t t'.  tanh''' = t' (4 t^2 - 2 t').
fn tanh1(x: f32) -> f32 {
  return 4.0 * sigmoidRate(2.0 * x);
}

fn tanh2(x: f32) -> f32 {
  return -2.0 * tanh0(x) * tanh1(x);
}

fn tanh3(x: f32) -> f32 {
  let t = tanh0(x);
  let rate = tanh1(x);
  return rate * (4.0 * t * t - 2.0 * rate);
}

fn relu0(x: f32) -> f32 {
  return select(x, 0.0, x < 0.0);
}

fn relu1(x: f32) -> f32 {
  return f32(x > 0.0);
}

fn relu2(x: f32) -> f32 {
  return 0.0;
}

fn relu3(x: f32) -> f32 {
  return 0.0;
}

// Normal density and CDF. P(X > a) = exp(-a^2 / 2) t P(t), t = 1 / (1 + 0.3 a), for a >= 0: our minimax fit of the
// scaled tail, relative error 4e-7 in f32 for a <= 14, past which exp is 0.
fn normalDensity(x: f32) -> f32 {
  return 0.3989422804 * exp(-0.5 * x * x);
}

fn normalCDF(x: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.3 * abs(x));
  var p = fma(t, 0.03567488, -0.1572035);
  p = fma(p, t, 0.20635419);
  p = fma(p, t, -0.053684242);
  p = fma(p, t, 0.12856193);
  p = fma(p, t, 0.09991341);
  p = fma(p, t, 0.12075397);
  p = fma(p, t, 0.1196293);
  let tail = exp(-0.5 * x * x) * t * p;
  return select(tail, 1.0 - tail, x >= 0.0);
}

// gelu = x F, F the normal CDF and f its density.  gelu' = F + x f.  gelu'' = f (2 - x^2).  gelu''' = f x (x^2 - 4).
fn gelu0(x: f32) -> f32 {
  return x * normalCDF(x);
}

fn gelu1(x: f32) -> f32 {
  return fma(x, normalDensity(x), normalCDF(x));
}

fn gelu2(x: f32) -> f32 {
  return normalDensity(x) * (2.0 - x * x);
}

fn gelu3(x: f32) -> f32 {
  return normalDensity(x) * x * (x * x - 4.0);
}

// geluTanh = x (1 + T) / 2, T = tanh(u), u = c (x + a x^3), a = 0.044715, c = sqrt(2 / pi). With S = T' by u:
//   dT = S u';  d2T = S (u'' - 2 T u'^2);  d3T = S (u''' - 6 T u' u'' + (4 T^2 - 2 S) u'^3)
struct TanhOfCubic {
  value: f32,
  first: f32,
  second: f32,
  third: f32,
}

fn tanhOfCubic(x: f32) -> TanhOfCubic {
  const c = 0.7978845608;
  const a = 0.044715;
  let u = c * x * (1.0 + a * x * x);
  let u1 = c * (1.0 + 3.0 * a * x * x);
  let u2 = 6.0 * a * c * x;
  const u3 = 6.0 * a * c;
  let t = tanh0(u);
  let s = tanh1(u);
  return TanhOfCubic(
    t,
    s * u1,
    s * (u2 - 2.0 * t * u1 * u1),
    s * (u3 - 6.0 * t * u1 * u2 + (4.0 * t * t - 2.0 * s) * u1 * u1 * u1),
  );
}

fn geluTanh0(x: f32) -> f32 {
  return x * sigmoid(1.5957691216 * x * (1.0 + 0.044715 * x * x)); // (1 + tanh(u)) / 2 = sigmoid(2 u)
}

fn geluTanh1(x: f32) -> f32 {
  let t = tanhOfCubic(x);
  return 0.5 * (1.0 + t.value + x * t.first);
}

fn geluTanh2(x: f32) -> f32 {
  let t = tanhOfCubic(x);
  return t.first + 0.5 * x * t.second;
}

fn geluTanh3(x: f32) -> f32 {
  let t = tanhOfCubic(x);
  return 1.5 * t.second + 0.5 * x * t.third;
}

// softplus = log(1 + exp(x)).  softplus' = s.  softplus'' = s (1 - s).  softplus''' = s (1 - s) (1 - 2 s).
fn softplus0(x: f32) -> f32 {
  return max(x, 0.0) + log1p(exp(-abs(x)));
}

fn softplus1(x: f32) -> f32 {
  return sigmoid(x);
}

fn softplus2(x: f32) -> f32 {
  return sigmoidRate(x);
}

fn softplus3(x: f32) -> f32 {
  return -sigmoidRate(x) * tanh0(0.5 * x);
}

fn sin0(x: f32) -> f32 {
  return sin(x);
}

fn sin1(x: f32) -> f32 {
  return cos(x);
}

fn sin2(x: f32) -> f32 {
  return -sin(x);
}

fn sin3(x: f32) -> f32 {
  return -cos(x);
}

fn elu0(x: f32) -> f32 {
  return select(expm1(x), x, x > 0.0);
}

fn elu1(x: f32) -> f32 {
  return select(exp(x), 1.0, x > 0.0);
}

fn elu2(x: f32) -> f32 {
  return select(exp(x), 0.0, x > 0.0);
}

fn elu3(x: f32) -> f32 {
  return select(exp(x), 0.0, x > 0.0);
}

// selu = scale x for x > 0, else scale alpha (exp(x) - 1); 1.7580993408 is scale alpha.
fn selu0(x: f32) -> f32 {
  return select(1.7580993408 * expm1(x), 1.0507009874 * x, x > 0.0);
}

fn selu1(x: f32) -> f32 {
  return select(1.7580993408 * exp(x), 1.0507009874, x > 0.0);
}

fn selu2(x: f32) -> f32 {
  return select(1.7580993408 * exp(x), 0.0, x > 0.0);
}

fn selu3(x: f32) -> f32 {
  return selu2(x);
}

// Guidance, and the known fields of mixtures, against values computed elsewhere in f64; in f32 to what each backend keeps.
import { guidanceFixtures } from "../conformance/golden-fixtures.ts";
import { testQuantities } from "./golden-quantities.ts";

testQuantities(guidanceFixtures);

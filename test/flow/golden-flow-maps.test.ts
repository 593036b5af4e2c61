// Flow maps against values computed elsewhere in f64: losses with all their gradients, and the map between Gaussians.
import { flowMapFixtures } from "../conformance/golden-fixtures.ts";
import { testQuantities } from "./golden-quantities.ts";

testQuantities(flowMapFixtures);

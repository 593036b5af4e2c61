# What divflow's load reads: the weights of a PyTorch network under their names (pip install torch safetensors).
# Here torchcfm's U-Net for digits; a SiT, or flow_matching's U-Net, is saved the same way.
from safetensors.torch import save_file
from torchcfm.models.unet import UNetModel

model = UNetModel(dim=(1, 28, 28), num_channels=32, num_res_blocks=1, num_classes=10, class_cond=True)
# ... train it, or model.load_state_dict(torch.load("digits.pt"))
state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
save_file(state, "digits.safetensors")

# Then, in JavaScript: what names and shapes do not tell is said.
#   const model = await load(runtime, bytes, { config: { sample: [28, 28, 1] } });
#   const { values } = await model.sample({ count: 16, conditions: { label: 3 } });

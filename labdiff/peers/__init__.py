"""The digital peers of the optical denoising unit, as the paper has them (sections 4.2 and A.2)."""

from labdiff.peers.architectures import ARCHITECTURES, build_peer
from labdiff.peers.fully_connected import FullyConnectedNet
from labdiff.peers.peer import Peer
from labdiff.peers.prediction import denoiser, predictor
from labdiff.peers.store import load_peer
from labdiff.peers.training import PeerTraining, train_peer
from labdiff.peers.unet import UNet

__all__ = [
    "ARCHITECTURES",
    "FullyConnectedNet",
    "Peer",
    "PeerTraining",
    "UNet",
    "build_peer",
    "denoiser",
    "load_peer",
    "predictor",
    "train_peer",
]
